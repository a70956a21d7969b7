// Echoes every datagram with the QR bit turned: what the kernel alone costs a server that uses recvmmsg and sendmmsg.
//
//   floor PORT [BATCH]
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MOST = 256, BYTES = 2048 };

static unsigned char data[MOST][BYTES];
static struct sockaddr_in from[MOST];
static struct iovec parts[MOST];
static struct mmsghdr heads[MOST];

int main(int count, char **words) {
  if (count < 2) {
    fprintf(stderr, "usage: floor PORT [BATCH]\n");
    return 2;
  }
  int batch = count > 2 ? atoi(words[2]) : 64;
  if (batch < 1 || batch > MOST) batch = 64;
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[1]))};
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int room = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  if (fd < 0 || bind(fd, (struct sockaddr *)&here, sizeof here) != 0) {
    perror("floor");
    return 1;
  }
  for (int i = 0; i < batch; i++) {
    parts[i].iov_base = data[i];
    heads[i].msg_hdr.msg_iov = &parts[i];
    heads[i].msg_hdr.msg_iovlen = 1;
    heads[i].msg_hdr.msg_name = &from[i];
  }
  for (;;) {
    for (int i = 0; i < batch; i++) {
      parts[i].iov_len = BYTES;
      heads[i].msg_hdr.msg_namelen = sizeof from[i];
    }
    int got = recvmmsg(fd, heads, (unsigned)batch, MSG_WAITFORONE, NULL);
    if (got < 0) {
      if (errno == EINTR) continue;
      perror("recvmmsg");
      return 1;
    }
    for (int i = 0; i < got; i++) {
      parts[i].iov_len = heads[i].msg_len;
      if (heads[i].msg_len > 2) data[i][2] |= 0x80;
    }
    for (int sent = 0; sent < got;) {
      int more = sendmmsg(fd, heads + sent, (unsigned)(got - sent), 0);
      if (more > 0) sent += more;
      else if (errno != EINTR) sent++;
    }
  }
}
