package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"petschaft/internal/imports"
	"petschaft/internal/person"
)

const (
	importsPath = "/email-domains/{domain}/imports"
	importPath  = importsPath + "/{id}"
	// uploadTime is how long a file may take on a slow line.
	uploadTime = 10 * time.Minute
)

// Import is a file and what becomes of it.
type Import struct {
	ID        int64      `json:"id" doc:"The number of the import."`
	Domain    string     `json:"email_domain" doc:"The domain that the file is for."`
	FileName  string     `json:"file_name" doc:"What the import is called in the portal."`
	State     string     `json:"state" enum:"uploaded,planning,planned,applying,applied,undoing,undone,discarded" doc:"planning and applying are done in the background: ask again until it is something else."`
	Trouble   *string    `json:"trouble" doc:"Why what was ordered last could not be done."`
	Created   time.Time  `json:"created" doc:"When the file came."`
	Records   int        `json:"records" doc:"Lines below the header."`
	Done      int        `json:"done" doc:"How many of them were read while planning."`
	Counts    Plan       `json:"plan" doc:"What the plan says of how many lines."`
	Reading   Reading    `json:"reading" doc:"How the file was understood: look here before you apply the plan."`
	Confirm   bool       `json:"confirm" doc:"The plan changes more than a fifth of the domain's rows: to apply it, send the number of changed ones."`
	Applied   *time.Time `json:"applied" doc:"When it was applied."`
	AppliedBy *string    `json:"applied_by" doc:"Who applied it."`
}

// Plan is how many lines are what.
type Plan struct {
	New       int `json:"new" doc:"Rows that will be added."`
	Changed   int `json:"changed" doc:"Rows that will be changed."`
	Unchanged int `json:"unchanged" doc:"Rows that are so already."`
	Skipped   int `json:"skipped" doc:"Of a mailbox type that the portal does not look after."`
	Faulty    int `json:"faulty" doc:"Lines with something wrong; they are left out."`
	Missing   int `json:"missing" doc:"Active rows of the domain that the file lacks; nothing happens to them."`
}

var exampleImport = Import{
	ID: 42, Domain: "uni.example", FileName: "staff.csv", State: "planned", Created: exampleAddress.Created, Records: 1204, Done: 1204,
	Counts: Plan{New: 3, Changed: 1, Unchanged: 1198, Faulty: 2, Missing: 1},
	Reading: Reading{
		Encoding: "utf-8", Separator: new("comma"), HeaderLine: 1, NotUnderstood: []string{"Room"},
		Columns: []Column{{"Name", new("name")}, {"Primary address", new("primary")}, {"Mailbox type", new("kind")}, {"Room", nil}},
	},
}

func (a *API) imports(h huma.API) {
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "planImport", Method: http.MethodPost, Path: importsPath, Tags: []string{"imports"}, Summary: "Plan an import",
			Description: "Takes a CSV file or the first sheet of a workbook (.xlsx, .ods), at most 20 MiB and 200,000 lines, and makes a plan of it in the " +
				"background. Encoding, separator, the line of the headings and the meaning of the columns are recognised unless parameters say them; the answer " +
				"tells how the file was understood. Nothing changes before the plan is applied. Of one person at most five that were not applied are kept in a " +
				"domain: another one takes the place of the oldest. While five are being worked on, or where such files fill 100 MiB, the answer is 409.",
			DefaultStatus: http.StatusAccepted, RequestBody: fileBody(),
		},
		verb: person.WriteImports, types: []string{csvType, xlsxType, odsType}, fails: []Kind{denied, conflict}, answers: exampleImport,
	}, a.planImport)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "getImport", Method: http.MethodGet, Path: importPath, Tags: []string{"imports"}, Summary: "One import",
			Description: "Where the import stands and what its plan says. Its lines are beside it.",
		},
		verb: person.WriteImports, answers: exampleImport,
	}, a.getImport)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "listImportLines", Method: http.MethodGet, Path: importPath + "/lines", Tags: []string{"imports"}, Summary: "Lines of an import",
			Description: "The lines of one kind, in the order of the file, page by page.",
		},
		verb: person.WriteImports, answers: exampleLines,
	}, a.listLines)
	add(h, a, operation{
		Operation: huma.Operation{
			OperationID: "applyImport", Method: http.MethodPost, Path: importPath + "/apply", Tags: []string{"imports"}, Summary: "Apply an import",
			Description:   "Orders that the plan is carried out, all or nothing, in the background. It sends no mail. Applying twice changes nothing.",
			DefaultStatus: http.StatusAccepted,
		},
		verb: person.WriteImports, types: []string{jsonType}, fails: []Kind{denied, conflict}, asks: map[string]any{"changed": 1}, answers: exampleImport,
	}, a.applyImport)
}

type planInput struct {
	InDomain
	FileName string `query:"file_name" default:"api.csv" maxLength:"255" doc:"What the import is called in the portal."`
	Wished

	file        io.Reader
	contentType string
}

// Resolve takes the body as it comes: a file is not held in memory.
func (in *planInput) Resolve(ctx huma.Context) []error {
	r, w := humachi.Unwrap(ctx)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(uploadTime + time.Minute))
	in.file, in.contentType = r.Body, r.Header.Get("Content-Type")
	return nil
}

type startedAnswer struct {
	Location string `header:"Location" doc:"The address of the import."`
	Body     Import
}

func (a *API) started(ctx context.Context, im imports.Import) *startedAnswer {
	return &startedAnswer{a.at("/email-domains/%s/imports/%d", im.DomainName, im.ID), told(ctx, im)}
}

// OfImport is an import in a path.
type OfImport struct {
	InDomain
	ID int64 `path:"id" minimum:"1" doc:"The number of the import."`
}

type importAnswer struct {
	Body Import
}

func (a *API) getImport(ctx context.Context, by person.Actor, in *OfImport) (*importAnswer, error) {
	im, err := a.Imports.One(ctx, by, domainName(in.Domain), imports.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &importAnswer{told(ctx, im)}, nil
}

// Applying is what somebody sends to apply a plan.
type Applying struct {
	Changed int `json:"changed,omitempty" doc:"How many rows the plan changes, where confirm asks for it."`
}

type applyInput struct {
	OfImport
	Body *Applying
}

func (a *API) applyImport(ctx context.Context, by person.Actor, in *applyInput) (*startedAnswer, error) {
	name, id, n := domainName(in.Domain), imports.ID(in.ID), 0
	if in.Body != nil {
		n = in.Body.Changed
	}
	im, err := a.Imports.Apply(ctx, by, name, id, n)
	if err != nil {
		return nil, err
	}
	return a.started(ctx, im), nil
}
