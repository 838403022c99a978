#include "services/policy/policy_file.h"

#include "absl/memory/memory.h"
#include "services/status/status_macros.h"

namespace entrepot::policy {

absl::Status CheckPolicyFile(const std::string& path) {
  return runtime::WatchedFile<Policy>::Check(path, Policy::Parse);
}

absl::StatusOr<std::unique_ptr<PolicyFile>> PolicyFile::Open(const std::string& path,
                                                             const std::shared_ptr<prometheus::Registry>& registry,
                                                             absl::Duration poll_interval) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, File::Open("policy", path, Policy::Parse, registry, poll_interval));
  return absl::WrapUnique(new PolicyFile(std::move(file)));
}

}  // namespace entrepot::policy
