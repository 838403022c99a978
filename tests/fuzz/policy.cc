#include "services/policy/policy.h"

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "tests/fuzz/fuzz_target.h"

using entrepot::RepositoryName;
using entrepot::Tag;
using entrepot::policy::Action;
using entrepot::policy::Policy;
using entrepot::policy::Subject;

FUZZ_TARGET(input) {
  static const RepositoryName* const kRepository = new RepositoryName(RepositoryName::Parse("driftwood/web").value());
  static const Tag* const kTag = new Tag(Tag::Parse("release-1").value());

  const auto policy = Policy::Parse(input, "fuzz.yaml");
  if (!policy.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(policy.status()));
    FUZZ_CHECK(policy.status().message().size() <= 200'000);
    for (const absl::string_view line : absl::StrSplit(policy.status().message(), '\n')) {
      FUZZ_CHECK(absl::StartsWith(line, "fuzz.yaml:"));
      FUZZ_CHECK(line.find_first_of(absl::string_view("\r\0", 2)) == absl::string_view::npos);
    }
    return;
  }
  for (const Subject& subject :
       {Subject{"", {}}, Subject{"ci", {}}, Subject{"robot+x", {"ops"}}, Subject{"a", {"ops"}}}) {
    const auto readable = (*policy)->ReadableRepositories(subject);
    bool shown = false;
    for (const auto& pattern : readable) shown = shown || pattern.Matches(kRepository->ToString());
    const auto decision = (*policy)->Decide(subject, Action::kPull, *kRepository);
    FUZZ_CHECK(shown == decision.allowed);
    FUZZ_CHECK(!decision.reason.empty());
    // An anonymous caller may not do more than an account.
    if (subject.account.empty()) {
      FUZZ_CHECK(!(*policy)->IsAdministrator(subject));
      FUZZ_CHECK(!decision.allowed || (*policy)->Decide({"someone", {}}, Action::kPull, *kRepository).allowed);
    }
    if ((*policy)->IsAdministrator(subject)) {
      FUZZ_CHECK((*policy)->Decide(subject, Action::kDelete, *kRepository).allowed);
    }
  }
  if ((*policy)->tag_rules().Immutable(*kRepository, *kTag).has_value()) {
    FUZZ_CHECK((*policy)->tag_rules().MayForbidAny(*kRepository));
  }
}
