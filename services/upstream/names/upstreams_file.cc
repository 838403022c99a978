#include "services/upstream/names/upstreams_file.h"

#include <algorithm>

#include "absl/memory/memory.h"
#include "services/runtime/config/config_loader.h"
#include "services/runtime/config/config_problems.h"
#include "services/runtime/log/json_log.h"
#include "services/status/status_macros.h"
#include "services/upstream/names/upstreams_checks.h"
#include "services/upstream/names/upstreams_defaults.h"

namespace entrepot::upstream {
namespace {

absl::StatusOr<std::shared_ptr<const UpstreamsSnapshot>> Parse(absl::string_view yaml_text, absl::string_view file_name,
                                                               runtime::ConfigProblems* problems) {
  config::v1::Upstreams file;
  RETURN_IF_ERROR(runtime::ParseConfig(yaml_text, file_name, &file, problems));
  FillDefaults(&file);
  CheckUpstreams(file, problems);
  RETURN_IF_ERROR(problems->ToStatus(file_name));
  return std::make_shared<const UpstreamsSnapshot>(std::move(file));
}

absl::StatusOr<std::shared_ptr<const UpstreamsSnapshot>> ParseAndLogWarnings(absl::string_view yaml_text,
                                                                             absl::string_view file_name) {
  runtime::ConfigProblems problems;
  ASSIGN_OR_RETURN(std::shared_ptr<const UpstreamsSnapshot> snapshot, Parse(yaml_text, file_name, &problems));
  for (const std::string& warning : problems.warnings()) {
    runtime::Log(runtime::LogLevel::kWarning, "configuration", {{"warning", warning}});
  }
  return snapshot;
}

}  // namespace

const config::v1::Upstream* UpstreamsSnapshot::Find(absl::string_view name) const {
  const auto found = std::find_if(file.upstreams().begin(), file.upstreams().end(),
                                  [&](const config::v1::Upstream& upstream) { return upstream.name() == name; });
  return found == file.upstreams().end() ? nullptr : &*found;
}

absl::StatusOr<std::shared_ptr<const UpstreamsSnapshot>> ParseUpstreams(absl::string_view yaml_text,
                                                                        absl::string_view file_name) {
  runtime::ConfigProblems problems;
  return Parse(yaml_text, file_name, &problems);
}

absl::Status CheckUpstreamsFile(const std::string& path) {
  return runtime::WatchedFile<UpstreamsSnapshot>::Check(path, ParseUpstreams);
}

absl::StatusOr<std::unique_ptr<UpstreamsFile>> UpstreamsFile::Open(
    const std::string& path, const std::shared_ptr<prometheus::Registry>& registry, absl::Duration poll_interval) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   File::Open("upstreams", path, ParseAndLogWarnings, registry, poll_interval));
  return absl::WrapUnique(new UpstreamsFile(std::move(file)));
}

}  // namespace entrepot::upstream
