/* A clock that somebody else can turn, for an unmodified program: preloaded, it answers for the C library's clocks and waits.
 *
 * The truth stands in a page of shared memory (WARP_PAGE names the file): two legs of a broken line, each from a true instant on with a rate and
 * the three readings at that instant. What stands in sleep (MONOTONIC), what goes on (BOOTTIME) and the calendar (REALTIME) are separate.
 * A wait is cut into slices of at most SLICE_NS true time and worked out anew after each, so that a change of rate, which the writer announces
 * two slices ahead, is met exactly: no signal has to interrupt anybody. Without a page everything is as the C library has it.
 *
 * Deliberately absent: CPU-time clocks (they are true), and programs that read the clock past the C library (Go, musl static): their own clock is
 * asked beforehand, see preflight.py, which also leaves alone who holds a timerfd. What nobody finds out: waits that end by true time while the
 * clocks are hurried, so that at x60 two seconds look like two minutes: a raw futex(2), SO_RCVTIMEO and SO_SNDTIMEO, setitimer, alarm and
 * timer_create, a timerfd that is made only later; and pthread_mutex_timedlock and the timed locks of rwlocks, whose instant is one of the
 * hurried calendar, which the kernel's own reaches much later. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL
#define SLICE_NS (10 * 1000000LL)

enum reading { AWAKE, ELAPSED, WALL };

struct leg {
    int64_t from_ns;       /* true MONOTONIC at which it begins */
    double rate;           /* readings gained for one second of truth */
    int64_t reading_ns[3]; /* what the clocks show at from_ns */
};

struct page {
    volatile uint64_t sequence; /* odd while it is being written */
    struct leg legs[2];         /* the second begins later */
};

static const struct page *page;
static int (*true_gettime)(clockid_t, struct timespec *);

static int64_t ns_of(const struct timespec *t) { return t->tv_sec * NS + t->tv_nsec; }

static struct timespec spec_of(int64_t ns) {
    if (ns < 0) ns = 0;
    return (struct timespec){.tv_sec = ns / NS, .tv_nsec = ns % NS};
}

__attribute__((constructor)) static void begin(void) {
    if (true_gettime) return;
    true_gettime = dlsym(RTLD_NEXT, "clock_gettime");
    const char *path = getenv("WARP_PAGE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *mapped = mmap(NULL, sizeof(struct page), PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED) page = mapped;
    close(fd);
}

static int64_t truth(clockid_t clock) {
    struct timespec t;
    true_gettime(clock, &t);
    return ns_of(&t);
}

/* The leg in force now, and how long it stays so at least, in true ns. */
static struct leg current(int64_t now_ns, int64_t *lasts_ns) {
    struct leg first, second;
    uint64_t before;
    do {
        do before = page->sequence; while (before & 1);
        __sync_synchronize();
        first = page->legs[0];
        second = page->legs[1];
        __sync_synchronize();
    } while (page->sequence != before);
    if (now_ns >= second.from_ns) {
        *lasts_ns = INT64_MAX;
        return second;
    }
    *lasts_ns = second.from_ns - now_ns;
    return first;
}

static int64_t read_clock(enum reading which, struct leg *leg, int64_t *lasts_ns) {
    int64_t now_ns = truth(CLOCK_MONOTONIC);
    *leg = current(now_ns, lasts_ns);
    return leg->reading_ns[which] + (int64_t)((double)(now_ns - leg->from_ns) * leg->rate);
}

static int64_t shown(enum reading which) {
    struct leg leg;
    int64_t lasts_ns;
    return read_clock(which, &leg, &lasts_ns);
}

/* True ns to wait now for a reading to come, at most a slice; 0 when it has come. */
static int64_t slice(enum reading which, int64_t due_ns) {
    struct leg leg;
    int64_t lasts_ns, left_ns = due_ns - read_clock(which, &leg, &lasts_ns);
    if (left_ns <= 0) return 0;
    int64_t true_ns = leg.rate > 0 ? (int64_t)((double)left_ns / leg.rate) + 1 : SLICE_NS;
    if (true_ns > lasts_ns) true_ns = lasts_ns;
    return true_ns < SLICE_NS ? true_ns : SLICE_NS;
}

static int which_reading(clockid_t clock) {
    switch (clock) {
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_COARSE: case CLOCK_MONOTONIC_RAW: return AWAKE;
    case CLOCK_BOOTTIME: return ELAPSED;
    case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: return WALL;
    default: return -1;
    }
}

#define TRUE_ONE(name) \
    static __typeof__(name) *true_one; \
    if (!true_one) true_one = dlsym(RTLD_NEXT, #name)

/* --- clocks */

int clock_gettime(clockid_t clock, struct timespec *t) {
    begin();
    int which = page ? which_reading(clock) : -1;
    if (which < 0) return true_gettime(clock, t);
    *t = spec_of(shown(which));
    return 0;
}

time_t time(time_t *out) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (out) *out = t.tv_sec;
    return t.tv_sec;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone) {
    (void)zone;
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    if (tv) *tv = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
    return 0;
}

/* --- waits for something to be ready: `once` waits up to true_ns and says how many are */

#define WAIT_IN_SLICES(due_ns, once) \
    for (;;) { \
        int64_t true_ns = slice(AWAKE, due_ns); \
        int found = (once); \
        if (found != 0 || true_ns == 0) return found; \
    }

static int64_t due_after(int64_t ns) { return shown(AWAKE) + ns; }

static int ms_of(int64_t ns) { return (int)((ns + 999999) / 1000000); }

int epoll_pwait(int fd, struct epoll_event *events, int max, int ms, const sigset_t *mask) {
    TRUE_ONE(epoll_pwait);
    begin();
    if (!page || ms <= 0) return true_one(fd, events, max, ms, mask);
    int64_t due_ns = due_after(ms * 1000000LL);
    WAIT_IN_SLICES(due_ns, true_one(fd, events, max, ms_of(true_ns), mask))
}

int epoll_wait(int fd, struct epoll_event *events, int max, int ms) { return epoll_pwait(fd, events, max, ms, NULL); }

int epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *t, const sigset_t *mask) {
    TRUE_ONE(epoll_pwait2);
    begin();
    if (!page || !t || ns_of(t) == 0) return true_one(fd, events, max, t, mask);
    int64_t due_ns = due_after(ns_of(t));
    struct timespec part;
    WAIT_IN_SLICES(due_ns, (part = spec_of(true_ns), true_one(fd, events, max, &part, mask)))
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *t, const sigset_t *mask) {
    TRUE_ONE(ppoll);
    begin();
    if (!page || !t || ns_of(t) == 0) return true_one(fds, count, t, mask);
    int64_t due_ns = due_after(ns_of(t));
    struct timespec part;
    WAIT_IN_SLICES(due_ns, (part = spec_of(true_ns), true_one(fds, count, &part, mask)))
}

int poll(struct pollfd *fds, nfds_t count, int ms) {
    struct timespec t = spec_of(ms * 1000000LL);
    return ppoll(fds, count, ms < 0 ? NULL : &t, NULL);
}

int pselect(int count, fd_set *reads, fd_set *writes, fd_set *others, const struct timespec *t, const sigset_t *mask) {
    TRUE_ONE(pselect);
    begin();
    if (!page || !t || ns_of(t) == 0) return true_one(count, reads, writes, others, t, mask);
    int64_t due_ns = due_after(ns_of(t));
    fd_set r, w, o; /* a wait that ends without success empties the sets */
    if (reads) r = *reads;
    if (writes) w = *writes;
    if (others) o = *others;
    struct timespec part;
    WAIT_IN_SLICES(due_ns, (part = spec_of(true_ns), reads ? (void)(*reads = r) : (void)0,
                            writes ? (void)(*writes = w) : (void)0, others ? (void)(*others = o) : (void)0,
                            true_one(count, reads, writes, others, &part, mask)))
}

int select(int count, fd_set *reads, fd_set *writes, fd_set *others, struct timeval *tv) {
    struct timespec t = {0};
    if (tv) t = (struct timespec){.tv_sec = tv->tv_sec, .tv_nsec = tv->tv_usec * 1000};
    return pselect(count, reads, writes, others, tv ? &t : NULL, NULL);
}

/* --- sleeps */

static int sleep_until(int which, int64_t due_ns) {
    static int (*true_sleep)(clockid_t, int, const struct timespec *, struct timespec *);
    if (!true_sleep) true_sleep = dlsym(RTLD_NEXT, "clock_nanosleep");
    for (;;) {
        int64_t true_ns = slice(which, due_ns);
        if (true_ns == 0) return 0;
        struct timespec part = spec_of(true_ns);
        int failed = true_sleep(CLOCK_MONOTONIC, 0, &part, NULL);
        if (failed) return failed;
    }
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *wanted, struct timespec *left) {
    TRUE_ONE(clock_nanosleep);
    begin();
    int which = page ? which_reading(clock) : -1;
    if (which < 0) return true_one(clock, flags, wanted, left);
    if (wanted->tv_nsec < 0 || wanted->tv_nsec >= NS) return EINVAL;
    int64_t due_ns = flags & TIMER_ABSTIME ? ns_of(wanted) : shown(which) + ns_of(wanted);
    int failed = sleep_until(which, due_ns);
    if (failed && left && !(flags & TIMER_ABSTIME)) *left = spec_of(due_ns - shown(which));
    return failed;
}

int nanosleep(const struct timespec *wanted, struct timespec *left) {
    int failed = clock_nanosleep(CLOCK_MONOTONIC, 0, wanted, left);
    if (failed) errno = failed;
    return failed ? -1 : 0;
}

int usleep(useconds_t us) {
    struct timespec t = spec_of(us * 1000LL);
    return nanosleep(&t, NULL);
}

unsigned sleep(unsigned s) {
    struct timespec t = spec_of(s * NS), left = {0};
    return nanosleep(&t, &left) ? (unsigned)((ns_of(&left) + NS - 1) / NS) : 0;
}

/* --- waits for other threads */

int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *due) {
    TRUE_ONE(sem_clockwait);
    begin();
    int which = page ? which_reading(clock) : -1;
    if (which < 0) return true_one(semaphore, clock, due);
    for (;;) {
        int64_t true_ns = slice(which, ns_of(due));
        struct timespec part = spec_of(truth(CLOCK_MONOTONIC) + true_ns);
        if (true_one(semaphore, CLOCK_MONOTONIC, &part) == 0) return 0;
        if (errno != ETIMEDOUT || true_ns == 0) return -1;
    }
}

int sem_timedwait(sem_t *semaphore, const struct timespec *due) { return sem_clockwait(semaphore, CLOCK_REALTIME, due); }

/* After a slice the mutex is held anew and somebody may have signalled in between: to wait again would lose that. Waking without cause is
 * allowed to a condition variable, and whoever waits looks again. */
static int cond_slice(pthread_cond_t *condition, pthread_mutex_t *mutex, int which, const struct timespec *due) {
    static __typeof__(pthread_cond_clockwait) *true_one;
    if (!true_one) true_one = dlsym(RTLD_NEXT, "pthread_cond_clockwait");
    int64_t true_ns = slice(which, ns_of(due));
    struct timespec part = spec_of(truth(CLOCK_MONOTONIC) + true_ns);
    int failed = true_one(condition, mutex, CLOCK_MONOTONIC, &part);
    return failed == ETIMEDOUT && true_ns > 0 && slice(which, ns_of(due)) > 0 ? 0 : failed;
}

int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *due) {
    TRUE_ONE(pthread_cond_clockwait);
    begin();
    int which = page ? which_reading(clock) : -1;
    return which < 0 ? true_one(c, m, clock, due) : cond_slice(c, m, which, due);
}

/* Which clock a condition variable goes by was told when it was made; the nearer reading tells it as well. */
int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *due) {
    TRUE_ONE(pthread_cond_timedwait);
    begin();
    if (!page) return true_one(c, m, due);
    int64_t awake = llabs(ns_of(due) - shown(AWAKE)), wall = llabs(ns_of(due) - shown(WALL));
    return cond_slice(c, m, awake < wall ? AWAKE : WALL, due);
}
