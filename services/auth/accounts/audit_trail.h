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

// The auth service's lines in the audit log. None of them holds a secret: of a request they show what is named here and
// nothing else. Thread-safe.
class AuditTrail {
 public:
  explicit AuditTrail(runtime::AuditLog* log) : log_(*log) {}

  // event "login": somebody has shown a credential. `reason` is for the operator: the client is told less.
  void Login(const v1::IssueTokenRequest& request, absl::string_view account, AuthMethod method, AuthResult result,
             absl::string_view reason);
  // event "token": decision "granted", or "reduced" where it is less than what was asked for.
  void Token(const v1::IssueTokenRequest& request, absl::string_view account, absl::string_view requested,
             absl::string_view granted);
  // event "administration": every command, also those that were denied or failed.
  void Administration(const v1::AdministerRequest& request, const absl::Status& result);

 private:
  runtime::AuditLog& log_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ACCOUNTS_AUDIT_TRAIL_H_
