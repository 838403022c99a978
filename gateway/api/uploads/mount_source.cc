#include "gateway/api/uploads/mount_source.h"

#include <optional>

#include "absl/status/statusor.h"
#include "gateway/api/request/query.h"
#include "services/core/repository_name.h"
#include "services/status/oci_error.h"

namespace entrepot::gateway::api {

std::string MountSource(absl::string_view query) {
  const absl::StatusOr<Query> parsed = Query::Parse(query);
  if (!parsed.ok() || !parsed->Has("mount")) return "";
  const absl::StatusOr<std::optional<std::string>> source = parsed->Single("from", OciErrorCode::kNameInvalid);
  if (!source.ok() || !source->has_value()) return "";
  return RepositoryName::Parse(**source).ok() ? **source : "";
}

}  // namespace entrepot::gateway::api
