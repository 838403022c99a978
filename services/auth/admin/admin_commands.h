#ifndef ENTREPOT_SERVICES_AUTH_ADMIN_ADMIN_COMMANDS_H_
#define ENTREPOT_SERVICES_AUTH_ADMIN_ADMIN_COMMANDS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/auth/accounts/account_directory.h"
#include "services/auth/accounts/audit_trail.h"
#include "services/auth/accounts/last_uses.h"
#include "services/auth/admin/account_backups.h"
#include "services/auth/admin/group_admin.h"
#include "services/auth/admin/robot_admin.h"
#include "services/auth/admin/user_admin.h"
#include "services/auth/credentials/password_verifier.h"
#include "services/auth/tokens/refresh_tokens.h"
#include "services/auth/tokens/signing_key_set.h"
#include "services/policy/policy_file.h"

namespace entrepot::auth {

// Runs the commands of entrepotctl (proto/entrepot/auth/v1/administration.proto), which only administrators may use.
// Writes every command to the audit log. Thread-safe.
class AdminCommands {
 public:
  // All must outlive this object.
  struct Parts {
    AccountDirectory* accounts;
    PasswordVerifier* passwords;
    RefreshTokens* refresh_tokens;
    LastUses* last_uses;
    SigningKeySet* keys;
    policy::PolicyFile* policy;
    AuditTrail* audit;
    AccountBackups* backups;
  };

  explicit AdminCommands(const Parts& parts);

  // kPermissionDenied (DENIED): the caller is not an administrator, or its account no longer exists. Otherwise the
  // result of the command.
  absl::StatusOr<v1::AdministerResponse> Run(const v1::AdministerRequest& request);

 private:
  absl::Status CheckAdministrator(const policy::Policy& policy, const std::string& account) const;
  absl::StatusOr<v1::AdministerResponse> CheckAndRun(const v1::AdministerRequest& request);
  absl::Status Dispatch(const v1::AdministerRequest& request, const policy::Policy& policy,
                        v1::AdministerResponse* response);
  absl::StatusOr<v1::Keys> ListKeys();
  absl::Status RevokeRefreshTokens(const v1::RevokeRefreshTokens& command);

  const Parts parts_;
  UserAdmin users_;
  RobotAdmin robots_;
  GroupAdmin groups_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ADMIN_ADMIN_COMMANDS_H_
