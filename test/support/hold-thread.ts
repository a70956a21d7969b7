// Lets one thread of another process stand still, and no other: the kernel stops it as a debugger would (ptrace(2)).
import { readdirSync, readFileSync } from 'node:fs';
import koffi from 'koffi';

const [PTRACE_ATTACH, PTRACE_DETACH, WALL] = [16, 17, 0x4000_0000];

export interface Thread {
  readonly id: number;
  readonly nice: number;
  /** Of sched.h. */
  readonly policy: number;
}

/** All threads of a process, from /proc (proc(5): fields 19 and 41, counted behind the name in parentheses). */
export function threadsOf(pid: number): Thread[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((id) => {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/task/${id}/stat`, 'latin1');
    } catch {
      // It ended meanwhile.
      return [];
    }
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { id: Number(id), nice: Number(fields[19 - 3]), policy: Number(fields[41 - 3]) };
  });
}

/** Stops a thread of a child process. Call what is returned from the same thread to let it go on; the end of this process does it too. */
export function holdThread(id: number): () => void {
  const libc = koffi.load(null);
  const ptrace = libc.func('long ptrace(long, long, uintptr_t, uintptr_t)');
  const waitpid = libc.func('int waitpid(int, _Out_ int *, int)');
  if (ptrace(PTRACE_ATTACH, id, 0, 0) !== 0) throw new Error(`thread ${id} cannot be held: errno ${koffi.errno()}`);
  waitpid(id, [0], WALL);
  let held = true;
  return () => {
    if (held) ptrace(PTRACE_DETACH, id, 0, 0);
    held = false;
  };
}
