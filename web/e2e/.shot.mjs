import puppeteer from "puppeteer-core";
const [,, url, out, width="1200", height="900", scheme="light", sel] = process.argv;
const b = await puppeteer.launch({executablePath:"/usr/bin/chromium",args:["--no-sandbox"]});
const p = await b.newPage();
await p.setViewport({width:+width,height:+height});
await p.emulateMediaFeatures([{name:"prefers-color-scheme",value:scheme}]);
await p.goto(url,{waitUntil:"networkidle0"});
if (sel) { const el = await p.$(sel); await el.evaluate(e=>e.scrollIntoView({block:"start"})); await new Promise(r=>setTimeout(r,500)); }
await p.screenshot({path:out});
await b.close();
