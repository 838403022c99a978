#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_FILE_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_FILE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/upstreams.pb.h"
#include "prometheus/registry.h"
#include "services/runtime/files/watched_file.h"
#include "services/upstream/names/upstream_names.h"

namespace entrepot::upstream {

// What an upstreams file says, with all defaults filled in. Immutable.
struct UpstreamsSnapshot {
  explicit UpstreamsSnapshot(config::v1::Upstreams checked) : file(std::move(checked)), names(file) {}

  // The entry with that name; null if there is none. Lives as long as the snapshot.
  const config::v1::Upstream* Find(absl::string_view name) const;

  const config::v1::Upstreams file;
  const UpstreamNames names;
  // About what is allowed, and probably not meant: one line each.
  std::vector<std::string> warnings;
};

// kInvalidArgument: the file has problems; the message has one line per problem, each with the file's name and line.
// The files that it names (passwords, certificates) are not read: a gateway need not have access to them.
absl::StatusOr<std::shared_ptr<const UpstreamsSnapshot>> ParseUpstreams(absl::string_view yaml_text,
                                                                        absl::string_view file_name);

// OK, or the error with which UpstreamsFile::Open() would refuse the file. For checking a configuration before the
// process starts.
absl::Status CheckUpstreamsFile(const std::string& path);

// An upstreams file, read again when it changes. If a new file cannot be used, that is logged, and the old one stays in
// force. If it lacks a pin, all patterns of an upstream's repositories, or the refusal of private addresses, it is held
// back for a time (services/runtime/files/watched_file.h). Loads are counted
// (entrepot_upstreams_reloads_total{result}). Thread-safe.
class UpstreamsFile {
 public:
  // kInvalidArgument, kNotFound and others: the file cannot be used; the message gives the reason and the place.
  static absl::StatusOr<std::unique_ptr<UpstreamsFile>> Open(const std::string& path,
                                                             const std::shared_ptr<prometheus::Registry>& registry,
                                                             absl::Duration poll_interval = absl::Seconds(1));

  // Never null.
  std::shared_ptr<const UpstreamsSnapshot> current() const { return file_->current(); }
  // Reads the file now. If poll_interval is zero, nothing else reads it again.
  absl::Status ReloadIfChanged() { return file_->ReloadIfChanged(); }

 private:
  using File = runtime::WatchedFile<UpstreamsSnapshot>;

  explicit UpstreamsFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  const std::unique_ptr<File> file_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_FILE_H_
