#include "services/upstream/names/upstreams_file.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
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
  auto snapshot = std::make_shared<UpstreamsSnapshot>(std::move(file));
  snapshot->warnings = problems->warnings();
  return snapshot;
}

void LogWarnings(const UpstreamsSnapshot& snapshot) {
  for (const std::string& warning : snapshot.warnings) {
    runtime::Log(runtime::LogLevel::kWarning, "configuration", {{"warning", warning}});
  }
}

bool HasPin(const config::v1::Upstream& upstream, const config::v1::PinnedTag& pin) {
  return std::any_of(upstream.pins().begin(), upstream.pins().end(), [&](const config::v1::PinnedTag& other) {
    return other.repository() == pin.repository() && other.tag() == pin.tag() && other.digest() == pin.digest();
  });
}

// What lets clients or the upstream do more if it is cut off: without patterns all repositories may be fetched. An
// upstream that is gone is not asked at all.
std::vector<std::string> FindLostRestrictions(const UpstreamsSnapshot& before, const UpstreamsSnapshot& now) {
  std::vector<std::string> lost;
  for (const config::v1::Upstream& old : before.file.upstreams()) {
    const config::v1::Upstream* const upstream = now.Find(old.name());
    if (upstream == nullptr) continue;
    for (const config::v1::PinnedTag& pin : old.pins()) {
      if (HasPin(*upstream, pin)) continue;
      lost.push_back(absl::StrCat("the pin of ", pin.repository(), ":", pin.tag(), " of ", old.name()));
    }
    if (!old.repositories().empty() && upstream->repositories().empty()) {
      lost.push_back(absl::StrCat("repositories of ", old.name()));
    }
    if (!old.allow_private_addresses() && upstream->allow_private_addresses()) {
      lost.push_back(absl::StrCat("allow_private_addresses of ", old.name()));
    }
  }
  return lost;
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
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, File::Open("upstreams", path, ParseUpstreams, registry, poll_interval,
                                                          FindLostRestrictions, LogWarnings));
  return absl::WrapUnique(new UpstreamsFile(std::move(file)));
}

}  // namespace entrepot::upstream
