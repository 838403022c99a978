#ifndef ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_FILE_H_
#define ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_FILE_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "prometheus/registry.h"
#include "services/manifest/retention/retention_rules.h"
#include "services/runtime/files/watched_file.h"

namespace entrepot::manifest {

// Returns the error that RetentionFile::Open() would return, for checking a configuration before anything starts.
absl::Status CheckRetentionFile(const std::string& path);

// A retention file that is read again when it changes. If the new content is invalid, that is logged, and the old rules
// remain in force. If it lacks one of the old rules, or has another one in its place, it is held back for a time
// (services/runtime/files/watched_file.h). Reloads are counted (entrepot_retention_reloads_total{result}). Thread-safe.
class RetentionFile {
 public:
  // kInvalidArgument, kNotFound and others: the file cannot be used; the message contains the reason and the place.
  static absl::StatusOr<std::unique_ptr<RetentionFile>> Open(const std::string& path,
                                                             const std::shared_ptr<prometheus::Registry>& registry,
                                                             absl::Duration poll_interval = absl::Seconds(1));

  // The rules in force now; never null.
  std::shared_ptr<const RetentionRules> current() const { return file_->current(); }
  // Reads the file now if it has changed. If poll_interval is zero, only this call does.
  absl::Status ReloadIfChanged() { return file_->ReloadIfChanged(); }

 private:
  using File = runtime::WatchedFile<RetentionRules>;

  explicit RetentionFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  const std::unique_ptr<File> file_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_FILE_H_
