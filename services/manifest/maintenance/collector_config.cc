#include "services/manifest/maintenance/collector_config.h"

#include "absl/strings/str_cat.h"
#include "services/manifest/retention/retention_file.h"

namespace entrepot::manifest {

void CheckCollectorConfig(absl::string_view field, const config::v1::Collector& collector,
                          runtime::ConfigProblems* problems) {
  runtime::CheckCollector(field, collector, problems);
  if (collector.retention_file().empty()) return;
  problems->AddLines(absl::StrCat(field, ".retention_file"), CheckRetentionFile(collector.retention_file()));
}

}  // namespace entrepot::manifest
