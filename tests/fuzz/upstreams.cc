#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "services/core/repository_name.h"
#include "services/upstream/names/upstreams_file.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::RepositoryName;
using entrepot::upstream::ParseUpstreams;
using entrepot::upstream::UpstreamsSnapshot;

namespace {

// The name here, the upstream and the name at the upstream belong together, and the name here stays what it is.
void CheckName(const UpstreamsSnapshot& snapshot, const RepositoryName& path) {
  const auto found = snapshot.names.ByPath(path);
  if (!found.ok()) {
    FUZZ_CHECK(absl::IsNotFound(found.status()));
    return;
  }
  if (!found->has_value()) return;
  const auto& repository = **found;
  FUZZ_CHECK(snapshot.Find(repository.upstream) != nullptr);
  FUZZ_CHECK(RepositoryName::Parse(repository.name_at_upstream).ok());
  FUZZ_CHECK(repository.repository.ToString() == absl::StrCat(repository.upstream, "/", repository.name_at_upstream));
  const auto again = snapshot.names.ByPath(repository.repository);
  FUZZ_CHECK(again.ok() && again->has_value());
  FUZZ_CHECK((*again)->repository == repository.repository);
  FUZZ_CHECK((*again)->name_at_upstream == repository.name_at_upstream);
}

}  // namespace

FUZZ_TARGET(input) {
  const auto snapshot = ParseUpstreams(input, "fuzz.yaml");
  if (!snapshot.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(snapshot.status()));
    FUZZ_CHECK(snapshot.status().message().size() <= 200'000);
    for (const absl::string_view line : absl::StrSplit(snapshot.status().message(), '\n')) {
      FUZZ_CHECK(absl::StartsWith(line, "fuzz.yaml:"));
      FUZZ_CHECK(line.find_first_of(absl::string_view("\r\0", 2)) == absl::string_view::npos);
    }
    return;
  }
  for (const auto& upstream : (*snapshot)->file.upstreams()) {
    FUZZ_CHECK(!upstream.url().empty() && upstream.connections_max() > 0);
    CheckName(**snapshot, RepositoryName::Parse(upstream.name()).value());
    CheckName(**snapshot, RepositoryName::Parse(absl::StrCat(upstream.name(), "/nginx")).value());
    for (const auto& alias : upstream.aliases()) {
      const auto path = RepositoryName::Parse(absl::StrCat(alias, "/team/app"));
      if (path.ok()) CheckName(**snapshot, *path);
      const auto by_namespace = (*snapshot)->names.ByNamespace(RepositoryName::Parse("team/app").value(), alias);
      FUZZ_CHECK(!by_namespace.ok() || by_namespace->upstream == upstream.name());
    }
  }
}
