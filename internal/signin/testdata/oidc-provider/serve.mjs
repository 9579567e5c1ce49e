// A provider of other people (npm's oidc-provider), set up as an operator would,
// for the tests of signing in. It reads its settings as JSON from the first
// argument, writes its address, and ends with its standard input.
//
// It has no pages for people: /interaction/ID?as=SUB signs SUB in, acr=… says how
// well, ago=… how many seconds ago. /test/forget?sub=SUB takes an account away, and
// with /test/silent?on=true ID tokens say no more when somebody signed in.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const settings = JSON.parse(process.argv[2]);
const { clients, people } = settings;

const configuration = {
	clients: clients.map((client) => ({
		...client,
		grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], backchannel_logout_session_required: true,
	})),
	scopes: ["openid", "profile", "email", "groups", "offline_access"],
	claims: {
		openid: ["sub"], profile: ["name", "given_name", "family_name", "preferred_username"],
		email: ["email", "email_verified"], groups: ["groups"],
		acr: null, amr: null, auth_time: null, iss: null, sid: null,
	},
	acrValues: ["one", "two"],
	conformIdTokenClaims: settings.conform,
	pkce: { required: () => true },
	cookies: { keys: ["only for tests"] },
	features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
	interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
	findAccount: (_, sub) => people[sub] && { accountId: sub, claims: () => people[sub] },
	// Refresh tokens without offline_access: they end with the session.
	issueRefreshToken: (_, c) => c.grantTypeAllowed("refresh_token"),
	// Nobody is asked for consent.
	loadExistingGrant: async (ctx) => {
		const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
		grant.addOIDCScope([...ctx.oidc.requestParamScopes].join(" "));
		await grant.save();
		return grant;
	},
};

const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, configuration);
for (const event of ["server_error", "backchannel.error", "backchannel.success"]) {
	provider.on(event, (...all) => console.error(event, ...all.map((one) => one?.message ?? "")));
}

// Nobody says when somebody signed in while it is silent.
let silent = false;
const when = provider.Session.prototype.authTime;
provider.Session.prototype.authTime = function () { return silent ? undefined : when.call(this); };

async function signIn(request, response, asked) {
	const login = { accountId: asked.get("as"), remember: true };
	if (asked.get("acr")) login.acr = asked.get("acr");
	if (asked.get("ago")) login.ts = Math.floor(Date.now() / 1000) - Number(asked.get("ago"));
	await provider.interactionFinished(request, response, asked.get("as") ? { login } : { error: "access_denied" });
}

const answer = provider.callback();
server.on("request", (request, response) => {
	const at = new URL(request.url, issuer);
	if (at.pathname === "/test/forget") {
		delete people[at.searchParams.get("sub")];
		response.end();
	} else if (at.pathname === "/test/silent") {
		silent = at.searchParams.get("on") === "true";
		response.end();
	} else if (at.pathname.startsWith("/interaction/")) {
		signIn(request, response, at.searchParams).catch((error) => { response.statusCode = 500; response.end(String(error)); });
	} else {
		answer(request, response);
	}
});
process.stdin.on("close", () => process.exit()).resume();
console.log(issuer);
