// What the generated files compare types by.

/** True if A and B are the same; or else no value fits. */
export type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : never) : never;

/** The properties that must be there. */
export type Required<T> = { [K in keyof T]-?: {} extends Pick<T, K> ? never : K }[keyof T];

/** The names of all properties, of those within, too. */
export type Names<T> = T extends readonly (infer Each)[]
  ? Names<Each>
  : T extends object
    ? { [K in keyof T]-?: (K & string) | Names<NonNullable<T[K]>> }[keyof T]
    : never;
