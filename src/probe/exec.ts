// The probe that runs a program: exit status 0 is good.
import { type ChildProcess, spawn } from 'node:child_process';
import { limits } from '../base/limits.ts';
import type { ExecCheck } from '../zone/model.ts';
import { failed, failedBy, type Outcome, printable, succeeded } from './outcome.ts';
import type { ProbeFunction } from './probe.ts';

/**
 * Runs the command: no shell, an empty environment, no input; `{address}` in an argument stands for the member's address.
 * What is left of it at the deadline is killed with its children.
 */
export const probeExec: ProbeFunction<ExecCheck> = (target, check, attempt) =>
  new Promise((resolve) => {
    if (attempt.signal.aborted) return resolve(failed('timeout: not started'));
    const args = check.args.map((argument) => argument.replaceAll('{address}', target.address));
    let output = '';
    let over = false;
    // A process group of its own, so that its children can be killed with it.
    const child: ChildProcess = spawn(check.command, args, {
      env: {},
      shell: false,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const finish = (outcome: Outcome): void => {
      if (over) return;
      over = true;
      attempt.signal.removeEventListener('abort', onAbort);
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve(outcome);
    };
    let ended: Outcome | null = null;
    const onAbort = (): void => {
      killGroup(child.pid);
      finish(ended ?? failed('timeout: killed', printable(output)));
    };
    let bytes = 0;
    let reads = 0;
    const keep = (chunk: Buffer): void => {
      if (over) return;
      if (output.length < limits.probeEvidenceBytes) output += chunk.toString('utf8', 0, limits.probeEvidenceBytes);
      bytes += chunk.length;
      if (bytes <= limits.probeBodyBytes && ++reads <= limits.probeOutputReads) return;
      killGroup(child.pid);
      finish(failed('too much output', printable(output)));
    };
    attempt.signal.addEventListener('abort', onAbort);
    child.on('error', (error) => finish(failedBy(error)));
    // There are none where this process had no descriptors left for them; the error says so.
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('exit', (status, signal) => {
      ended = status === 0 ? succeeded('') : failed(signal === null ? `exit status ${status}` : `killed by ${signal}`);
      // What it leaves running would never end, and would keep the pipes open.
      killGroup(child.pid);
    });
    // All of its output is in.
    child.on('close', () => finish({ ...(ended ?? failed('ended without a status')), evidence: printable(output) }));
  });

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
