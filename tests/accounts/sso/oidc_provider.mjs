// A certified OpenID provider (npm oidc-provider) on a free port, for tests. Its first line of output is the port.
// POST /test/accounts {"ada": {"email": ...}}  who there is; POST /test/rotate  a new signing key.
import { createServer } from "node:http";
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const accounts = {};
let issuer;
let current;
let number = 0;

const newKey = () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  number += 1;
  return { ...privateKey.export({ format: "jwk" }), kid: `key-${number}`, use: "sig", alg: "RS256" };
};

const body = (request) =>
  new Promise((resolve) => {
    let text = "";
    request.on("data", (part) => (text += part));
    request.on("end", () => resolve(text));
  });

// What the provider keeps outlives a change of its keys.
const kept = new Map();
class Adapter {
  constructor(name) {
    this.key = (id) => `${name}:${id}`;
    this.name = name;
  }
  async upsert(id, payload) {
    kept.set(this.key(id), payload);
  }
  async find(id) {
    return kept.get(this.key(id));
  }
  async findByUid(uid) {
    return [...kept].find(([key, value]) => key.startsWith(`${this.name}:`) && value.uid === uid)?.[1];
  }
  async findByUserCode() {
    return undefined;
  }
  async consume(id) {
    kept.get(this.key(id)).consumed = Math.floor(Date.now() / 1000);
  }
  async destroy(id) {
    kept.delete(this.key(id));
  }
  async revokeByGrantId(grantId) {
    for (const [key, value] of kept) if (value.grantId === grantId) kept.delete(key);
  }
}

function makeProvider() {
  const provider = new Provider(issuer, {
    adapter: Adapter,
    jwks: { keys: [newKey()] },
    cookies: { keys: ["tests"] },
    features: { devInteractions: { enabled: false }, registration: { enabled: true } },
    claims: { openid: ["sub", "amr", "acr", "auth_time"], email: ["email", "email_verified"], profile: ["name", "groups"] },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
  });
  provider.use(async (ctx, next) => {
    if (!ctx.path.startsWith("/interaction/")) return next();
    const { params, prompt } = await provider.interactionDetails(ctx.req, ctx.res);
    if (ctx.method === "GET") {
      ctx.type = "html";
      ctx.body = `<!doctype html><html lang="en"><title>Example ID</title><h1>Example ID</h1><p id="prompt">${prompt.name}</p>
        <form method="post" action="${ctx.path}"><label>Account <input name="login"></label><button>Sign in</button></form>`;
      return undefined;
    }
    const said = new URLSearchParams(await body(ctx.req));
    if (said.get("refuse")) {
      return provider.interactionFinished(ctx.req, ctx.res, { error: "access_denied" }, { mergeWithLastSubmission: false });
    }
    const accountId = said.get("login");
    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope("openid email profile");
    const consent = { grantId: await grant.save() };
    const amr = (accounts[accountId]?.amr || "pwd").split(" ");
    const ts = accounts[accountId]?.ts;
    return provider.interactionFinished(ctx.req, ctx.res, { login: { accountId, amr, ts, remember: true }, consent }, {
      mergeWithLastSubmission: false,
    });
  });
  provider.on("server_error", (_, error) => console.error(error));
  return provider.callback();
}

const server = createServer(async (request, response) => {
  if (request.url === "/test/accounts") {
    Object.assign(accounts, JSON.parse(await body(request)));
    response.end();
  } else if (request.url === "/test/rotate") {
    current = makeProvider();
    response.end();
  } else {
    current(request, response);
  }
});
server.listen(0, "127.0.0.1", () => {
  issuer = `http://127.0.0.1:${server.address().port}`;
  current = makeProvider();
  console.log(server.address().port);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
