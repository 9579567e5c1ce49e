package office

import (
	"context"

	"petschaft/internal/site/page"
)

// jobName words a kind of job; a kind without words shows its name.
func jobName(ctx context.Context, kind string) string {
	switch kind {
	case "mailbox_deliver":
		return page.T(ctx, "office.job_challenge")
	case "mail_deliver":
		return page.T(ctx, "office.job_letter")
	case "audit_seal":
		return page.T(ctx, "office.job_seal")
	case "audit_check":
		return page.T(ctx, "office.job_check")
	case "issuance_look", "order_issue", "order_issue_server":
		return page.T(ctx, "office.job_issue")
	case "issuance_revoke":
		return page.T(ctx, "office.job_revoke")
	case "cert_list":
		return page.T(ctx, "office.job_list")
	case "cert_answers", "cert_daily":
		return page.T(ctx, "office.job_answers")
	case "mailbox_import":
		return page.T(ctx, "office.job_import")
	case "bulk_work":
		return page.T(ctx, "office.job_bulk")
	case "compromise_tell":
		return page.T(ctx, "office.job_tell_reports")
	case "order_tell":
		return page.T(ctx, "office.job_tell")
	case "order_recheck":
		return page.T(ctx, "office.job_recheck")
	case "compromise_forget", "brake_tidy":
		return page.T(ctx, "office.job_forget")
	case "cert_phases":
		return page.T(ctx, "office.job_phases")
	case "cert_remind":
		return page.T(ctx, "office.job_remind")
	case "person_remind", "org_drowsy":
		return page.T(ctx, "office.job_remind_tokens")
	case "cert_digest":
		return page.T(ctx, "office.job_digest")
	case "mailbox_clock", "handover_clock":
		return page.T(ctx, "office.job_clock")
	case "mailbox_fold", "mail_forget", "signin_tidy", "draft_tidy", "bulk_tick", "bulk_forget", "mailbox_import_tick", "api_tidy":
		return page.T(ctx, "office.job_tidy")
	}
	return kind
}
