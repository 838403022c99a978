#include "services/policy/policy_file.h"

#include <string>
#include <utility>

#include "absl/memory/memory.h"
#include "services/policy/lost_restrictions.h"
#include "services/status/status_macros.h"

namespace entrepot::policy {

namespace {

runtime::WatchedFile<Policy>::Parser ParserFor(Accounts accounts) {
  return accounts == Accounts::kSome ? Policy::Parse : Policy::ParseWithoutAccounts;
}

}  // namespace

absl::Status CheckPolicyFile(const std::string& path, Accounts accounts) {
  return runtime::WatchedFile<Policy>::Check(path, ParserFor(accounts));
}

absl::StatusOr<std::unique_ptr<PolicyFile>> PolicyFile::Open(const std::string& path,
                                                             const std::shared_ptr<prometheus::Registry>& registry,
                                                             absl::Duration poll_interval, Accounts accounts,
                                                             OnUse on_use) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, File::Open("policy", path, ParserFor(accounts), registry, poll_interval,
                                                          FindLostRestrictions, std::move(on_use)));
  return absl::WrapUnique(new PolicyFile(std::move(file)));
}

}  // namespace entrepot::policy
