#ifndef ENTREPOT_SERVICES_AUTH_ACCOUNTS_AUDIT_TRAIL_H_
#define ENTREPOT_SERVICES_AUTH_ACCOUNTS_AUDIT_TRAIL_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "entrepot/auth/v1/auth_service.pb.h"
#include "services/auth/records/auth_metrics.h"
#include "services/core/access_scope.h"
#include "services/runtime/log/audit_log.h"

namespace entrepot::auth {

// Writes the auth service's lines to the audit log. No line contains a secret: of a request, only the fields that are
// named here are written. A line about a credential that was not accepted, a denied command or the token of an
// anonymous client is one of those that AuditLog::WriteLimited() limits: by the client's network and the decision,
// never by the account, which such a client chooses. Thread-safe.
class AuditTrail {
 public:
  explicit AuditTrail(runtime::AuditLog* log) : log_(*log) {}

  // event "login": a client has sent a credential. `reason` is for the operator; the client gets less detail.
  void Login(const v1::IssueTokenRequest& request, absl::string_view account, AuthMethod method, AuthResult result,
             absl::string_view reason);
  // event "token": the decision is "granted", or "reduced" if fewer scopes were granted than requested.
  void Token(const v1::IssueTokenRequest& request, absl::string_view account, absl::string_view requested,
             absl::string_view granted);
  // event "administration": every command of entrepotctl, including those that were denied or failed.
  void AdminCommand(const v1::AdministerRequest& request, const absl::Status& result);

 private:
  runtime::AuditLog& log_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_AUDIT_TRAIL_H_
