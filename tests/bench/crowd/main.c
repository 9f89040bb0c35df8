/*
 * What a coordinator needs for many sites over real connections.
 *
 *     bench_crowd COORDINATOR SITES VALUES DROPOUTS [SECONDS]
 *
 * With VALUES 0 the sites connect and poll, and no round is played. Ends by itself after SECONDS
 * (600) whatever comes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/crowd/crowd.h"

enum { SITES_MAX = 10000, SECONDS = 600 };

static double now_s(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static FILE *file_of(const struct crowd *crowd, const char *name, const char *mode)
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)crowd->serving->child, name);
    file = fopen(path, mode);
    if (file == NULL) {
        fprintf(stderr, "%s does not open: has the coordinator ended?\n", path);
        exit(1);
    }
    return file;
}

/* VmRSS or VmHWM, in MiB. */
static double resident_mib(const struct crowd *crowd, const char *name)
{
    FILE *file = file_of(crowd, "status", "r");
    char line[256];
    double kib = 0;

    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtod(line + strlen(name) + 1, NULL);
    fclose(file);
    return kib / 1024;
}

static void peak_forget(const struct crowd *crowd)
{
    FILE *file = file_of(crowd, "clear_refs", "w");

    fputs("5", file);
    fclose(file);
}

static double busy_s(const struct crowd *crowd)
{
    FILE *file = file_of(crowd, "stat", "r");
    unsigned long user = 0, kernel = 0;

    if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &kernel) != 2)
        fprintf(stderr, "the coordinator's times do not parse\n");
    fclose(file);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static void phase_tell(const struct crowd *crowd, const char *what, double began_s, double used_s)
{
    printf("%-28s %8.1f s, coordinator: %7.1f processor seconds, %7.1f MiB now, %7.1f at most\n",
           what, now_s() - began_s, busy_s(crowd) - used_s, resident_mib(crowd, "VmRSS:"),
           resident_mib(crowd, "VmHWM:"));
    fflush(stdout);
}

static void round_measure(struct crowd *crowd, double idle_mib, double vector_mib)
{
    const struct crowd_task *task = &crowd->task;
    double began_s, used_s, most_mib;

    peak_forget(crowd);
    began_s = now_s();
    used_s = busy_s(crowd);
    crowd_play(crowd);
    phase_tell(crowd, "the round", began_s, used_s);
    most_mib = resident_mib(crowd, "VmHWM:");
    crowd_check(crowd);
    printf("the sum is right; %" PRIu64 " requests were tried again\n", crowd->retries);
    printf("above the idle coordinator at most %.1f MiB; 4 vectors + 64 MB + 64 KB a site: %.1f\n",
           most_mib - idle_mib, 4 * vector_mib + (64e6 + 64e3 * task->sites) / (1 << 20));
}

static void measure(const struct crowd_task *task)
{
    double began_s = now_s(), used_s = 0, idle_mib, vector_mib;
    struct crowd *crowd = crowd_open(task);

    vector_mib = 4.0 * (crowd->definition.lane_count + 1) / (1 << 20);
    printf("%" PRIu32 " sites, %" PRIu32 " lanes, %" PRIu32 " dropouts, a vector is %.2f MiB\n",
           task->sites, crowd->definition.lane_count + 1, task->dropouts, vector_mib);
    phase_tell(crowd, "start and enrolment", began_s, used_s);
    idle_mib = resident_mib(crowd, "VmRSS:");
    began_s = now_s();
    used_s = busy_s(crowd);
    crowd_gather(crowd);
    phase_tell(crowd, "connect, all poll", began_s, used_s);
    printf("%.1f KiB a connection that polls\n",
           (resident_mib(crowd, "VmRSS:") - idle_mib) * 1024 / task->sites);
    if (task->values == 0) {
        /* The sites wait for mail on their threads and end with the program. */
        atomic_store(&crowd->is_over, true);
        serving_close(crowd->serving);
        exit(0);
    }
    round_measure(crowd, idle_mib, vector_mib);
    crowd_close(crowd);
}

static uint32_t number_of(const char *text, uint32_t max)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*end != '\0' || end == text || number > max) {
        fprintf(stderr, "%s is not a number up to %" PRIu32 "\n", text, max);
        exit(2);
    }
    return (uint32_t)number;
}

int main(int argc, char **argv)
{
    struct crowd_task task = {0};

    if (argc < 5 || argc > 6) {
        fprintf(stderr, "bench_crowd COORDINATOR SITES VALUES DROPOUTS [SECONDS]\n");
        return 2;
    }
    task.program = argv[1];
    task.sites = number_of(argv[2], SITES_MAX);
    task.values = number_of(argv[3], 1 << 22);
    task.dropouts = number_of(argv[4], task.sites / 2);
    alarm(argc == 6 ? number_of(argv[5], 3600) : SECONDS);
    measure(&task);
    return 0;
}
