#ifndef ENTREPOT_SERVICES_AUTH_ADMIN_GROUP_ADMIN_H_
#define ENTREPOT_SERVICES_AUTH_ADMIN_GROUP_ADMIN_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "services/auth/accounts/account_directory.h"
#include "services/policy/policy.h"

namespace entrepot::auth {

// entrepotctl's commands on groups. kFailedPrecondition: the policy file puts the member into the group, so that only
// an edit of the file can remove it.
class GroupAdmin {
 public:
  // Must outlive this object.
  explicit GroupAdmin(AccountDirectory* accounts) : accounts_(*accounts) {}

  absl::StatusOr<v1::Groups> List(const policy::Policy& policy);
  absl::Status Add(const v1::AddToGroup& command, absl::string_view added_by);
  absl::Status Remove(const v1::RemoveFromGroup& command, const policy::Policy& policy);

 private:
  AccountDirectory& accounts_;
};

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_ADMIN_GROUP_ADMIN_H_
