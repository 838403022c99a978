#ifndef ENTREPOT_SERVICES_POLICY_POLICY_FILE_H_
#define ENTREPOT_SERVICES_POLICY_POLICY_FILE_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "prometheus/registry.h"
#include "services/policy/policy.h"
#include "services/runtime/files/watched_file.h"

namespace entrepot::policy {

// Whether the registry has accounts. If not, files whose rules name subjects are refused
// (Policy::ParseWithoutAccounts).
enum class Accounts { kSome, kNone };

// OK, or the error with which PolicyFile::Open() would refuse the file. For checking a configuration before the process
// starts.
absl::Status CheckPolicyFile(const std::string& path, Accounts accounts = Accounts::kSome);

// A policy file, read again when it changes. If a new file cannot be used, that is logged, and the old one stays in
// force. If a new file lacks restrictions of the old one (lost_restrictions.h), it is held back for a time, and
// warnings name them (services/runtime/files/watched_file.h). Loads are counted
// (entrepot_policy_reloads_total{result}). Thread-safe.
class PolicyFile {
 public:
  // Called with each policy before it is in force.
  using OnUse = std::function<void(const Policy& policy)>;

  // kInvalidArgument, kNotFound and others: the file cannot be used; the message gives the reason and the place.
  static absl::StatusOr<std::unique_ptr<PolicyFile>> Open(const std::string& path,
                                                          const std::shared_ptr<prometheus::Registry>& registry,
                                                          absl::Duration poll_interval = absl::Seconds(1),
                                                          Accounts accounts = Accounts::kSome, OnUse on_use = {});

  // The policy in force. Never null.
  std::shared_ptr<const Policy> current() const { return file_->current(); }
  // Reads the file now. If poll_interval is zero, nothing else reads it again.
  absl::Status ReloadIfChanged() { return file_->ReloadIfChanged(); }

 private:
  using File = runtime::WatchedFile<Policy>;

  explicit PolicyFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  const std::unique_ptr<File> file_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_POLICY_FILE_H_
