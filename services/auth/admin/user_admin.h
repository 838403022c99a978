#ifndef ENTREPOT_SERVICES_AUTH_ADMIN_USER_ADMIN_H_
#define ENTREPOT_SERVICES_AUTH_ADMIN_USER_ADMIN_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/auth/accounts/account_directory.h"
#include "services/auth/accounts/last_uses.h"
#include "services/auth/credentials/password_verifier.h"
#include "services/policy/policy.h"

namespace entrepot::auth {

// entrepotctl's commands on users. kFailedPrecondition: the user is in the accounts file, so that only an edit of the
// file can change it.
class UserAdmin {
 public:
  // All must outlive this object.
  UserAdmin(AccountDirectory* accounts, PasswordVerifier* passwords, const LastUses* last_uses)
      : accounts_(*accounts), passwords_(*passwords), last_uses_(*last_uses) {}

  absl::StatusOr<v1::Users> List(const policy::Policy& policy);
  absl::Status Create(const v1::CreateUser& command, absl::string_view created_by);
  absl::Status SetPassword(const v1::SetPassword& command);
  absl::Status Delete(const v1::DeleteUser& command);

 private:
  absl::Status CheckNotInFile(absl::string_view name) const;
  absl::Status Describe(absl::string_view name, const policy::Policy& policy, v1::Users::User* user) const;

  AccountDirectory& accounts_;
  PasswordVerifier& passwords_;
  const LastUses& last_uses_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ADMIN_USER_ADMIN_H_
