// Sends DNS queries from a file at a given rate or with a given number outstanding; measures losses and latency, checks answers.
//
//   load --port P --file QUERIES --seconds S (--rate N | --window N) [--sockets N] [--sources A,B,…]
//        [--expect FILE --epoch FILE]
//
// QUERIES: each query preceded by its length in two bytes (the form of DNS over TCP, and of dnsperf -B). The ID is set
// here. Latency runs from just before the send to the kernel's receive timestamp, so that a late read here does not
// count; what was sent late is told apart as `lagMaxUs`. Percentiles are of all queries sent: one that was never answered
// counts as the slowest, with LOST_US, or a server that drops what it can't answer soon would look fast.
//
// --expect: 24 bytes for each query of the file: kind, 3 bytes of nothing, five 32-bit words in the machine's order:
//   kind 0  only the header is checked (ID, QR, question)
//   kind 1  NXDOMAIN, nothing in the answer section
//   kind 2  static: two A records, words 0 and 1, each with the epoch's low byte added in the second octet
//   kind 3  steered: two A records, words 0 and 1 (first pool) or words 2 and 3 (second pool), never one of each
//   The TTL tells the epoch, the same throughout one answer: 1000 + epoch for kind 2, 1 + epoch % 50 for kind 3.
// --epoch: a file of two 32-bit words, the lowest and the highest epoch that may be answered now; others write it.
//   `stale` counts answers outside of it, `late` those more than one epoch behind the highest, `oldest` how far at most.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64, BYTES = 2048, MOST_SOCKETS = 64, STEP_NS = 100, STEPS = 2000000, GIVE_UP_NS = 1000000000, REST_NS = 20000, WAITING = 1 << 17, LOST_US = 1000000 };

typedef struct {
  uint8_t kind, nothing[3];
  uint32_t word[5];
} Expected;

typedef struct {
  int fd;
  uint16_t next;
  int64_t at[65536];
  uint32_t query[65536];
} Client;

/** A query in the order of sending, for giving up on it. */
typedef struct {
  int64_t at;
  uint16_t client, id;
} Sent;

static Sent waiting[WAITING];
static uint64_t waitingFirst, waitingEnd;
static Client *clients;
static int clientCount = 8;
static unsigned char *queries;
static uint64_t *offsets;
static uint32_t queryCount;
static Expected *expected;
static volatile uint32_t *epoch;
static uint32_t *steps;
static int64_t slowest;
static uint64_t sent, answered, unexpected, wrong, stale, outstanding, refused, byFirst, bySecond, late;
static uint32_t oldest;
static unsigned char in[BATCH][BYTES];
static unsigned char controls[BATCH][64];
static struct iovec inParts[BATCH], outParts[BATCH];
static struct mmsghdr inHeads[BATCH], outHeads[BATCH];

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void *mapFile(const char *path, int flags, size_t *size) {
  int fd = open(path, O_RDONLY);
  struct stat s;
  if (fd < 0 || fstat(fd, &s) != 0) fail(path);
  void *at = mmap(NULL, (size_t)s.st_size, flags == MAP_SHARED ? PROT_READ : PROT_READ | PROT_WRITE, flags, fd, 0);
  if (at == MAP_FAILED) fail(path);
  close(fd);
  *size = (size_t)s.st_size;
  return at;
}

static uint32_t word(const unsigned char *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static const char *judge(const unsigned char *reply, uint32_t length, const unsigned char *query, const Expected *want,
                         int *isStale) {
  if (length < 12 || !(reply[2] & 0x80)) return "no answer";
  uint32_t p = 12;
  while (p < length && reply[p] != 0) p += 1u + reply[p];
  p += 5;
  if (p > length || reply[5] != 1 || memcmp(reply + 12, query + 12, p - 12) != 0) return "another question";
  if (want->kind == 0) return NULL;
  if (reply[2] & 2) return "truncated";
  if (!(reply[2] & 4)) return "without authority";
  int rcode = reply[3] & 15, count = reply[6] << 8 | reply[7];
  if (want->kind == 1) return rcode == 3 && count == 0 ? NULL : "not NXDOMAIN";
  if (rcode != 0) return "an error code";
  if (count != 2) return "not two records";
  uint32_t address[2], ttl[2];
  for (int i = 0; i < 2; i++) {
    if (p + 2 > length) return "cut off";
    if ((reply[p] & 0xc0) == 0xc0) p += 2;
    else {
      while (p < length && reply[p] != 0) p += 1u + reply[p];
      p++;
    }
    if (p + 14 > length || word(reply + p) != 0x00010001 || reply[p + 8] != 0 || reply[p + 9] != 4) return "not an A record";
    ttl[i] = word(reply + p + 4);
    address[i] = word(reply + p + 10);
    p += 14;
  }
  if (ttl[0] != ttl[1]) return "a mixture of epochs";
  const uint32_t *w = want->word;
  uint32_t lowest = epoch ? epoch[0] : 0, highest = epoch ? epoch[1] : 0, age;
  if (want->kind == 2) {
    if (ttl[0] < 1000) return "another TTL";
    age = ttl[0] - 1000;
  } else {
    if (ttl[0] < 1 || ttl[0] > 50) return "another TTL";
    for (age = lowest; age < highest && age % 50 != ttl[0] - 1; age++) continue;
    if (age % 50 != ttl[0] - 1) age = highest + 1;
  }
  uint32_t add = want->kind == 2 ? (age & 255) << 16 : 0;
  int first = (address[0] == w[0] + add && address[1] == w[1] + add) || (address[1] == w[0] + add && address[0] == w[1] + add);
  int second = want->kind == 3 &&
               ((address[0] == w[2] && address[1] == w[3]) || (address[1] == w[2] && address[0] == w[3]));
  if (!first && !second) return "other addresses";
  if (want->kind == 3 && w[0] != w[2]) {
    byFirst += (uint64_t)first;
    bySecond += (uint64_t)second;
  }
  if (epoch && (age < lowest || age > highest)) *isStale = 1;
  else if (epoch && age < highest) {
    if (highest - age > oldest) oldest = highest - age;
    if (highest - age > 1) late++;
  }
  return NULL;
}

static void receive(Client *client) {
  for (int i = 0; i < BATCH; i++) {
    inParts[i].iov_len = BYTES;
    inHeads[i].msg_hdr.msg_controllen = sizeof controls[i];
  }
  int got = recvmmsg(client->fd, inHeads, BATCH, MSG_DONTWAIT, NULL);
  if (got < 0) {
    if (errno == ECONNREFUSED) refused++;
    return;
  }
  for (int i = 0; i < got; i++) {
    unsigned char *reply = in[i];
    if (inHeads[i].msg_len < 12) {
      unexpected++;
      continue;
    }
    uint16_t id = (uint16_t)(reply[0] << 8 | reply[1]);
    int64_t began = client->at[id];
    if (began == 0) {
      unexpected++;
      continue;
    }
    client->at[id] = 0;
    int64_t came = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&inHeads[i].msg_hdr); c; c = CMSG_NXTHDR(&inHeads[i].msg_hdr, c))
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
        struct timespec t;
        memcpy(&t, CMSG_DATA(c), sizeof t);
        came = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
      }
    if (came == 0) came = now();
    int64_t took = came - began;
    if (took < 0) took = 0;
    if (took > slowest) slowest = took;
    int64_t step = took / STEP_NS;
    steps[step < STEPS ? step : STEPS - 1]++;
    answered++;
    outstanding--;
    if (expected) {
      uint32_t n = client->query[id];
      int isStale = 0;
      const char *why = judge(reply, inHeads[i].msg_len, queries + offsets[n], &expected[n], &isStale);
      if (isStale) stale++;
      if (why && wrong++ < 5) {
        fprintf(stderr, "wrong answer to query %u (%s, kind %d): ", n, why, expected[n].kind);
        for (unsigned k = 0; k < inHeads[i].msg_len && k < 200; k++) fprintf(stderr, "%02x", reply[k]);
        fprintf(stderr, "\n");
      }
    }
  }
}

// Counts as lost what was sent before `limit`, or the window would stay shut.
static void forget(int64_t limit) {
  if (waitingEnd - waitingFirst > WAITING) waitingFirst = waitingEnd - WAITING;
  for (; waitingFirst < waitingEnd; waitingFirst++) {
    Sent *s = &waiting[waitingFirst % WAITING];
    if (s->at > limit) return;
    if (clients[s->client].at[s->id] == s->at) {
      clients[s->client].at[s->id] = 0;
      outstanding--;
    }
  }
}

static uint32_t sendSome(Client *client, uint32_t first, uint32_t many) {
  int64_t at = now();
  uint32_t n = 0;
  for (; n < many; n++) {
    uint16_t id = client->next;
    // An ID that is still waiting is not used again: what it asked counts as lost, and only a late answer would be taken wrongly.
    if (client->at[id] != 0) outstanding--;
    uint32_t q = (first + n) % queryCount;
    unsigned char *bytes = queries + offsets[q];
    bytes[0] = (unsigned char)(id >> 8);
    bytes[1] = (unsigned char)id;
    client->at[id] = at;
    client->query[id] = q;
    client->next++;
    waiting[waitingEnd++ % WAITING] = (Sent){at, (uint16_t)(client - clients), id};
    outParts[n].iov_base = bytes;
    outParts[n].iov_len = (size_t)(bytes[-2] << 8 | bytes[-1]);
  }
  for (uint32_t done = 0; done < n;) {
    int more = sendmmsg(client->fd, outHeads + done, n - done, 0);
    if (more > 0) done += (uint32_t)more;
    else if (errno == ECONNREFUSED) refused++;
    else if (errno != EINTR && errno != EAGAIN && errno != ENOBUFS) fail("sendmmsg");
  }
  sent += n;
  outstanding += n;
  return n;
}

static double percentile(double share) {
  uint64_t before = (uint64_t)ceil(share * (double)sent), sum = 0;
  if (before > answered) return LOST_US;
  for (int i = 0; i < STEPS; i++) {
    sum += steps[i];
    if (sum >= before && sum > 0) return (i + 1) * (STEP_NS / 1000.0);
  }
  return 0;
}

int main(int count, char **words) {
  int port = 0;
  double seconds = 1, rate = 0;
  uint64_t window = 0;
  const char *file = NULL, *sources = "127.0.0.1", *expectFile = NULL, *epochFile = NULL;
  for (int i = 1; i + 1 < count; i += 2) {
    const char *key = words[i], *value = words[i + 1];
    if (!strcmp(key, "--port")) port = atoi(value);
    else if (!strcmp(key, "--file")) file = value;
    else if (!strcmp(key, "--seconds")) seconds = atof(value);
    else if (!strcmp(key, "--rate")) rate = atof(value);
    else if (!strcmp(key, "--window")) window = strtoull(value, NULL, 10);
    else if (!strcmp(key, "--sockets")) clientCount = atoi(value);
    else if (!strcmp(key, "--sources")) sources = value;
    else if (!strcmp(key, "--expect")) expectFile = value;
    else if (!strcmp(key, "--epoch")) epochFile = value;
    else {
      fprintf(stderr, "load: unknown option %s\n", key);
      return 2;
    }
  }
  if (!port || !file || (rate <= 0) == (window == 0) || clientCount < 1 || clientCount > MOST_SOCKETS) {
    fprintf(stderr, "usage: load --port P --file QUERIES --seconds S (--rate N | --window N) [--sockets N] [--sources A,B]\n");
    return 2;
  }
  size_t size = 0, other = 0;
  queries = mapFile(file, MAP_PRIVATE, &size);
  offsets = malloc((size / 14 + 1) * sizeof *offsets);
  for (size_t at = 0; at + 2 <= size;) {
    size_t length = (size_t)queries[at] << 8 | queries[at + 1];
    if (length < 12 || at + 2 + length > size) break;
    offsets[queryCount++] = at + 2;
    at += 2 + length;
  }
  if (queryCount == 0) {
    fprintf(stderr, "load: no queries in %s\n", file);
    return 1;
  }
  if (expectFile) {
    expected = mapFile(expectFile, MAP_PRIVATE, &other);
    if (other < (size_t)queryCount * sizeof *expected) {
      fprintf(stderr, "load: %s is too short\n", expectFile);
      return 1;
    }
  }
  if (epochFile) epoch = mapFile(epochFile, MAP_SHARED, &other);
  steps = calloc(STEPS, sizeof *steps);
  clients = calloc((size_t)clientCount, sizeof *clients);
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  char list[1024];
  snprintf(list, sizeof list, "%s", sources);
  char *addresses[64];
  int addressCount = 0;
  for (char *a = strtok(list, ","); a && addressCount < 64; a = strtok(NULL, ",")) addresses[addressCount++] = a;
  for (int i = 0; i < clientCount; i++) {
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20, on = 1;
    struct sockaddr_in here = {.sin_family = AF_INET};
    if (inet_pton(AF_INET, addresses[i % addressCount], &here.sin_addr) != 1) fail("--sources");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
      setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&here, sizeof here) != 0) fail("bind");
    if (connect(fd, (struct sockaddr *)&there, sizeof there) != 0) fail("connect");
    clients[i].fd = fd;
  }
  for (int i = 0; i < BATCH; i++) {
    inParts[i].iov_base = in[i];
    inHeads[i].msg_hdr.msg_iov = &inParts[i];
    inHeads[i].msg_hdr.msg_iovlen = 1;
    inHeads[i].msg_hdr.msg_control = controls[i];
    outHeads[i].msg_hdr.msg_iov = &outParts[i];
    outHeads[i].msg_hdr.msg_iovlen = 1;
  }

  prctl(PR_SET_TIMERSLACK, 1000);
  int64_t start = now(), end = start + (int64_t)(seconds * 1e9), lag = 0, last = start;
  uint32_t next = 0;
  int sender = 0, reader = 0;
  for (int64_t t = start; t < end; t = now()) {
    uint64_t due;
    if (window) {
      forget(t - GIVE_UP_NS);
      due = outstanding < window ? window - outstanding : 0;
    } else {
      double should = (double)(t - start) * rate / 1e9;
      due = should > (double)sent ? (uint64_t)(should - (double)sent) : 0;
      // At low rates the core is left to others until the next query is due: answers carry the kernel's timestamps.
      int64_t gap = start + (int64_t)((double)(sent + 1) * 1e9 / rate) - t;
      if (!due && gap > REST_NS) {
        for (int i = 0; i < clientCount; i++) receive(&clients[i]);
        struct timespec rest = {.tv_nsec = gap - REST_NS / 2};
        nanosleep(&rest, NULL);
        last = t + gap;
        continue;
      }
      if (due && t - last > lag && sent) lag = t - last;
      last = t;
    }
    if (due > BATCH) due = BATCH;
    if (due) {
      next = (next + sendSome(&clients[sender], next, (uint32_t)due)) % queryCount;
      sender = (sender + 1) % clientCount;
    }
    receive(&clients[reader]);
    reader = (reader + 1) % clientCount;
  }
  double took = (double)(now() - start) / 1e9;
  uint64_t inTime = answered;
  for (int64_t wait = now() + 500000000; outstanding && now() < wait;)
    for (int i = 0; i < clientCount; i++) receive(&clients[i]);
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  double cpu = use.ru_utime.tv_sec + use.ru_utime.tv_usec / 1e6 + use.ru_stime.tv_sec + use.ru_stime.tv_usec / 1e6;
  printf("{\"sent\":%llu,\"answered\":%llu,\"lost\":%llu,\"unexpected\":%llu,\"refused\":%llu,\"wrong\":%llu,\"stale\":%llu,"
         "\"byFirst\":%llu,\"bySecond\":%llu,\"late\":%llu,\"oldest\":%u,\"seconds\":%.6f,\"qps\":%.1f,\"p50Us\":%.1f,\"p99Us\":%.1f,\"p999Us\":%.1f,\"p9999Us\":%.1f,\"maxUs\":%.1f,"
         "\"lagMaxUs\":%.1f,\"cpuSeconds\":%.3f}\n",
         (unsigned long long)sent, (unsigned long long)answered, (unsigned long long)(sent - answered),
         (unsigned long long)unexpected, (unsigned long long)refused, (unsigned long long)wrong, (unsigned long long)stale,
         (unsigned long long)byFirst, (unsigned long long)bySecond,
         (unsigned long long)late, oldest, took,
         (double)inTime / took, percentile(0.5), percentile(0.99), percentile(0.999), percentile(0.9999),
         (double)slowest / 1000, (double)lag / 1000, cpu);
  return 0;
}
