#ifndef ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_RULES_H_
#define ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_RULES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/retention.pb.h"

namespace entrepot::manifest {

// A retention file (config/v1/retention.proto, examples/retention.yaml), checked as a whole.
struct RetentionRules {
  config::v1::RetentionFile file;
};

// kInvalidArgument, a line for each problem, which begins with the file's name.
absl::StatusOr<RetentionRules> ParseRetentionRules(absl::string_view text,
                                                   absl::string_view file_name = "retention rules");

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_RULES_H_
