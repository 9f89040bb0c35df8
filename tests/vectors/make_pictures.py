#!/usr/bin/env python3
"""Makes tests/vectors/pictures: small photos and what an independent decoder and resampler, Pillow 10,
makes of them. Run once; the files are committed, so that the tests need no Pillow."""

import pathlib

from PIL import Image

FOLDER = pathlib.Path(__file__).parent / "pictures"
SIDE = 8


def pattern(width, height):
    picture = Image.new("RGB", (width, height))
    picture.putdata(
        [((x * 7 + y * 3) % 256, (x * x + 5 * y) % 256, (x * y + 90) % 256) for y in range(height) for x in range(width)]
    )
    return picture


def planes(picture):
    """Channel after channel, as the models take them."""
    return b"".join(band.tobytes() for band in picture.split())


def expect(name, picture):
    small = picture.resize((SIDE, SIDE), Image.BILINEAR)
    (FOLDER / name).write_bytes(planes(small))


def main():
    FOLDER.mkdir(exist_ok=True)
    photo = pattern(37, 23)
    photo.save(FOLDER / "colour.png", optimize=True)
    expect("colour.rgb", photo)
    expect("colour.grey", photo.convert("L"))
    photo.convert("L").save(FOLDER / "grey.png", optimize=True)
    expect("small.rgb", pattern(3, 2))
    pattern(3, 2).save(FOLDER / "small.png")
    photo.save(FOLDER / "colour.jpg", quality=90)
    expect("colour_jpg.rgb", Image.open(FOLDER / "colour.jpg"))
    photo.convert("L").save(FOLDER / "grey.jpg", quality=90)
    expect("grey_jpg.grey", Image.open(FOLDER / "grey.jpg"))
    photo.convert("CMYK").save(FOLDER / "cmyk.jpg", quality=50)
    photo.quantize(16).save(FOLDER / "palette.png")
    expect("palette.rgb", Image.open(FOLDER / "palette.png").convert("RGB"))
    clear = photo.convert("RGBA")
    clear.putalpha(17)
    clear.save(FOLDER / "alpha.png", optimize=True)
    Image.new("I;16", (4, 4), 0x8040).save(FOLDER / "deep.png")


if __name__ == "__main__":
    main()
