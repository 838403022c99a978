#ifndef ENTREPOT_SERVICES_POLICY_POLICY_FILE_H_
#define ENTREPOT_SERVICES_POLICY_POLICY_FILE_H_

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

// OK, or why PolicyFile::Open() would not take the file; for checking a configuration before anything starts.
absl::Status CheckPolicyFile(const std::string& path);

// A policy file, read again when it changes: a bad new one is logged, counted
// (entrepot_policy_reloads_total{result="success"|"failure"}) and the old one kept. Thread-safe.
class PolicyFile {
 public:
  // kInvalidArgument, kNotFound …: it cannot be used; the message says why and where.
  static absl::StatusOr<std::unique_ptr<PolicyFile>> Open(const std::string& path,
                                                          const std::shared_ptr<prometheus::Registry>& registry,
                                                          absl::Duration poll_interval = absl::Seconds(1));

  // The one in force now; never null.
  std::shared_ptr<const Policy> current() const { return file_->current(); }
  // Looks at the file now; with a poll_interval of zero only this does.
  absl::Status ReloadIfChanged() { return file_->ReloadIfChanged(); }

 private:
  using File = runtime::WatchedFile<Policy>;

  explicit PolicyFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  const std::unique_ptr<File> file_;
};

}  // namespace entrepot::policy

#endif  // ENTREPOT_SERVICES_POLICY_POLICY_FILE_H_
