"""One answer of tests/bench/answer by transformers' generate with its cache; prints one line of
JSON.

    torch_side.py MODEL PROMPT TOKENS f32|bf16

One thread, greedily, no adapter. The first answer is thrown away; the time of a token is that of
TOKENS less that of one, which comes with the prompt.
"""
import json
import resource
import sys
import time

import torch
import transformers

transformers.logging.set_verbosity_error()
torch.set_num_threads(1)


def main():
    folder, prompt, tokens, dtype = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, torch_dtype=torch.float32 if dtype == "f32" else torch.bfloat16).eval()
    ids = torch.randint(0, model.config.vocab_size, (1, prompt),
                        generator=torch.Generator().manual_seed(1))

    def answer_ms(count):
        began = time.process_time()
        with torch.no_grad():
            model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=count,
                           min_new_tokens=count, do_sample=False, use_cache=True, pad_token_id=0)
        return 1e3 * (time.process_time() - began)

    answer_ms(2)
    first = answer_ms(1)
    print(json.dumps({
        "prompt_ms": first, "token_ms": (answer_ms(tokens) - first) / (tokens - 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "torch": torch.__version__, "transformers": transformers.__version__}))


main()
