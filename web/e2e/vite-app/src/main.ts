import { plan } from "umem-split";

const split = document.querySelector("umem-split")!;
split.addEventListener("umem-ready", async ({ detail }) => {
  const { table } = await plan(split.scenario!);
  document.title = `${detail.status} (${table.refused ? table.refused.message : table.total})`;
});
