// Which public reports a text finds.

/** Everything that is said in a report, in small letters. */
const said = ({ name, title, errors, happened, cause, source }) =>
  [name, title, ...errors, happened, cause, ...source.map(({ text }) => text)].join("\n").toLowerCase();

/** The words of a text, each once. An error text has signs and blanks of its own between them. */
const words = (text) => [...new Set(text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? [])];

/**
 * The reports that have all words of `text`, in any case; where none has, those that have the most of them: numbers in an error text are
 * other numbers in each report.
 */
export function matching(reports, text) {
  const wanted = words(text);
  const counted = reports.map((report) => {
    const all = said(report);
    return { report, count: wanted.filter((word) => all.includes(word)).length };
  });
  const most = Math.max(0, ...counted.map(({ count }) => count));
  const found = most || !wanted.length ? counted.filter(({ count }) => count === most).map(({ report }) => report) : [];
  return { found, told: told(found.length, reports.length, most, wanted.length) };
}

/** How many were found, in words. */
function told(found, all, most, wanted) {
  if (!wanted) return `${all} reports`;
  if (!found) return "No report has any of these words.";
  if (most === wanted) return `${found} of ${all} reports`;
  return `No report has all of these words. ${found === 1 ? "One has" : `${found} have`} ${most} of the ${wanted}.`;
}
