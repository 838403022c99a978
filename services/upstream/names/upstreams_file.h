#ifndef ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_FILE_H_
#define ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/config/v1/upstreams.pb.h"
#include "prometheus/registry.h"
#include "services/upstream/names/upstream_names.h"

namespace entrepot::upstream {

// What an upstreams file says, with all defaults filled in. Immutable.
struct UpstreamsSnapshot {
  explicit UpstreamsSnapshot(config::v1::Upstreams checked) : file(std::move(checked)), names(file) {}

  const config::v1::Upstreams file;
  const UpstreamNames names;
};

// kInvalidArgument: the file has problems; the message has one line per problem, each with the file's name and line.
absl::StatusOr<std::shared_ptr<const UpstreamsSnapshot>> ParseUpstreams(absl::string_view yaml_text,
                                                                        absl::string_view file_name);

// An upstreams file, read again when it changes. If a new file cannot be used, that is logged, and the old one stays in
// force. Loads are counted (entrepot_upstreams_reloads_total{result}). Thread-safe.
class UpstreamsFile {
 public:
  static absl::StatusOr<std::unique_ptr<UpstreamsFile>> Open(const std::string& path,
                                                             const std::shared_ptr<prometheus::Registry>& registry,
                                                             absl::Duration poll_interval = absl::Seconds(1));
  // Never null.
  std::shared_ptr<const UpstreamsSnapshot> current() const;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NAMES_UPSTREAMS_FILE_H_
