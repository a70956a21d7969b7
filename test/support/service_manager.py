"""What systemd does for a service: listens to its notifications, and opens sockets for it.

notify PATH                          prints each notification, one a line of its fields
activate TYPE:PORT[:NAME],... -- COMMAND...   runs a command with these sockets of 127.0.0.1 from descriptor 3 on
"""
import os
import socket
import sys

if sys.argv[1] == "notify":
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(sys.argv[2])
    print("listening", flush=True)
    while True:
        print(listener.recv(4096).decode().replace("\n", " "), flush=True)

dashes = sys.argv.index("--")
given = []
names = []
for one in sys.argv[2].split(","):
    kind, port, *name = one.split(":")
    each = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if kind == "tcp" else 0)
    each.bind(("127.0.0.1", int(port)))
    if kind == "tcp":
        each.listen(64)
    given.append(os.dup(each.fileno()))
    names.append(name[0] if name else "dns")
# First out of the way, then to their places.
high = [os.dup2(fd, 100 + i) for i, fd in enumerate(given)]
for i, fd in enumerate(high):
    os.dup2(fd, 3 + i)
    os.set_inheritable(3 + i, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given)), LISTEN_FDNAMES=":".join(names))
os.execvp(sys.argv[dashes + 1], sys.argv[dashes + 1 :])
