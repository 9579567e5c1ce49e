package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"petschaft/internal/lane"
	"petschaft/internal/npm"
	"petschaft/internal/trial"
)

// judge is @seriousme/openapi-schema-validator with what it stands on. It holds
// a description against the schema that the OpenAPI Initiative publishes.
var judge = []npm.Package{
	{Name: "@seriousme/openapi-schema-validator", Version: "2.11.0", Integrity: "DL8TjmjkUS76OaK/TinoRtf6PrirsWfMZiv62ifP9eq3UOpoLqSGZKpCErxMzz0i1pjECSPYY+qZ1SRYEgiEvg=="},
	{Name: "ajv", Version: "8.20.0", Integrity: "Thbli+OlOj+iMPYFBVBfJ3OmCAnaSyNn4M1vz9T6Gka5Jt9ba/HIR56joy65tY6kx/FCF5VXNB819Y7/GUrBGA=="},
	{Name: "ajv-draft-04", Version: "1.0.0", Integrity: "mv00Te6nmYbRp5DCwclxtt7yV/joXJPGS7nM+97GdxvuttCOfgI3K4U25zboyeX0O+myI8ERluxQe5wljMmVIw=="},
	{Name: "ajv-formats", Version: "3.0.1", Integrity: "8iUql50EUR+uUcdRQ3HDqa6EVyo3docL8g5WJ3FNcWmu62IbkGUue/pEyLBW8VGKKucTPgqeks4fIU1DA4yowQ=="},
	{Name: "fast-deep-equal", Version: "3.1.3", Integrity: "f3qQ9oQy9j2AhBe/H9VC91wLmKBCCU/gDOnKNAYG5hswO7BLKj09Hc5HYNz9cGI++xlpDCIgDaitVs03ATR84Q=="},
	{Name: "fast-uri", Version: "3.1.9", Integrity: "hS/0Wt3Ya043oKXs0sIxrMpKQITXhMLIrVAKKXi4gozGC9v7YRWVnXIZzjNPTO02M9BdxLCWqK1yRXgNziVyJQ=="},
	{Name: "json-schema-traverse", Version: "1.0.0", Integrity: "NM8/P9n3XjXhIZn1lLhkFaACTOURQXjWhV4BA/RnOv8xvgqtqpAX9IO4mRQxSx1Rlo4tqzeqb0sOlruaOy3dug=="},
	{Name: "require-from-string", Version: "2.0.2", Integrity: "Xf0nWe6RseziFMu+Ap9biiUbmplq6S9/p+7w7YXP/JBHhrUDDUhwa+vANyubuqfZWTveU//DYVGsDG7RKL/vEw=="},
	{Name: "yaml", Version: "2.9.1", Integrity: "3NxN8+78OdzbT7C/WjGsyfPAtJaN3FNDsWxv7Y7mcDsT/oOmgW8BpyQQFFBnvZE3j9Y2Sdz1ULFLezL7Eb2yFw=="},
}

// ask prints what the judge finds, and fails where it finds anything or takes
// the description for another version.
const ask = `import { readFile } from "node:fs/promises";
import { Validator } from "@seriousme/openapi-schema-validator";
const validator = new Validator();
const found = await validator.validate(JSON.parse(await readFile("openapi.json", "utf8")));
if (!found.valid || validator.version !== "3.1") {
	console.error("version", validator.version, JSON.stringify(found.errors, null, 1));
	process.exit(1);
}
`

// judged is what the judge says of a description, empty where it finds nothing
// wrong.
func judged(t *testing.T, description []byte) string {
	t.Helper()
	folder := t.TempDir()
	trial.Must(0, npm.Install(t.Context(), folder, judge...))
	trial.Must(0, os.WriteFile(filepath.Join(folder, "openapi.json"), description, 0o600))
	trial.Must(0, os.WriteFile(filepath.Join(folder, "ask.mjs"), []byte(ask), 0o600))
	c := exec.CommandContext(t.Context(), lane.Find("node"), "ask.mjs")
	c.Dir = folder
	out, err := c.CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return string(out)
}

func TestPeerTakesTheDescriptionForOpenAPI(t *testing.T) {
	t.Parallel()
	lane.Peer(t, "node")
	r := newRig(t)
	description := r.ask("GET", "/api/v1/openapi.json", "", nil)
	wants(t, description, 200)
	if said := judged(t, description.body); said != "" {
		t.Errorf("an independent validator does not take the description for OpenAPI 3.1:\n%s", said)
	}
	if said := judged(t, []byte(`{"openapi":"3.1.0","info":{"title":"x","version":"1"},"paths":{"/a":{"get":{"responses":{"200":{}}}}}}`)); said == "" {
		t.Error("the validator takes anything")
	}
}
