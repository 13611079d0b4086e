// Before anything is drawn: whether the address asks for what the first picture in index.html shows, the mail's example. For
// everything else its lanes stay empty until the page is there. A classic script, since a module would come too late.
{
  const asked = new URLSearchParams(location.search).has("src") || !["", "#preset=mail"].includes(location.hash);
  document.documentElement.classList.toggle("other", asked);
}
