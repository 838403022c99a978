#include "gateway/backends/grpc/remembered_tags.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace entrepot::gateway {
namespace {

// No component has a space.
std::string Key(const RepositoryName& repository, const Tag& tag) {
  return absl::StrCat(repository.ToString(), " ", tag.ToString());
}

absl::string_view UpstreamOf(const RepositoryName& repository) {
  const absl::string_view name = repository.ToString();
  return name.substr(0, name.find('/'));
}

}  // namespace

void RememberedTags::Remember(const RepositoryName& repository, const Tag& tag, const ResolvedManifest& answer) {
  const std::string key = Key(repository, tag);
  const absl::MutexLock lock(&mutex_);
  if (answer.valid_for <= absl::ZeroDuration()) return tags_.Erase(key);
  // It has constant members, so it is made anew.
  tags_[key].emplace(Answer{.tag = {.digest = answer.digest, .stale_reason = answer.stale_reason, .age = answer.age},
                            .since = Stopwatch(),
                            .until = Deadline::After(answer.valid_for)});
}

std::optional<RecalledTag> RememberedTags::Find(const RepositoryName& repository, const Tag& tag) {
  const std::string key = Key(repository, tag);
  const absl::MutexLock lock(&mutex_);
  const std::optional<Answer>* const answer = tags_.Find(key);
  if (answer == nullptr || !answer->has_value()) return std::nullopt;
  if ((*answer)->until.passed()) {
    tags_.Erase(key);
    return std::nullopt;
  }
  RecalledTag found = (*answer)->tag;
  found.age += (*answer)->since.Elapsed();
  return found;
}

void RememberedTags::Count(const RepositoryName& repository, const RecalledCount& count) {
  const absl::MutexLock lock(&mutex_);
  const absl::string_view upstream = UpstreamOf(repository);
  auto found = counts_.find(upstream);
  if (found == counts_.end()) found = counts_.try_emplace(std::string(upstream)).first;
  found->second.fresh += count.fresh;
  found->second.stale += count.stale;
}

RecalledCount RememberedTags::TakeCount(const RepositoryName& repository) {
  const absl::MutexLock lock(&mutex_);
  const auto found = counts_.find(UpstreamOf(repository));
  return found == counts_.end() ? RecalledCount() : std::exchange(found->second, {});
}

}  // namespace entrepot::gateway
