// Tells the kinds of choices in a list of pools apart, in one place: a new kind is a compile error wherever it must be dealt with.
import type { Choice, ChoiceList } from './model.ts';

/** What to do with each kind. */
export type ChoiceCases<T> = { readonly [K in Choice['kind']]: (choice: Extract<Choice, { kind: K }>) => T };

export function choiceOf<T>(choice: Choice, cases: ChoiceCases<T>): T {
  switch (choice.kind) {
    case 'pool':
      return cases.pool(choice);
    case 'closest':
      return cases.closest(choice);
    case 'weighted':
      return cases.weighted(choice);
  }
}

/** The names of the pools of a list, in the order of the file. */
export function poolsOf(list: ChoiceList): string[] {
  return list.flatMap((choice) =>
    choiceOf(choice, {
      pool: ({ pool }) => [pool],
      closest: ({ pools }) => [...pools],
      weighted: ({ shares }) => shares.map(({ pool }) => pool),
    }),
  );
}
