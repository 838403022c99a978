#include "services/policy/policy_file.h"

#include "absl/memory/memory.h"
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
                                                             absl::Duration poll_interval, Accounts accounts) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   File::Open("policy", path, ParserFor(accounts), registry, poll_interval));
  return absl::WrapUnique(new PolicyFile(std::move(file)));
}

}  // namespace entrepot::policy
