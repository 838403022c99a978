#include "services/upstream/negative_answers.h"

namespace entrepot::upstream {

void NegativeAnswers::Remember(const std::string& key, const absl::Status& status, absl::Duration duration) {
  if (duration <= absl::ZeroDuration()) return;
  const absl::MutexLock lock(&mutex_);
  answers_[key] = {.status = status, .since = clock_.Now(), .duration = duration};
}

std::optional<absl::Status> NegativeAnswers::Find(const std::string& key) {
  const absl::MutexLock lock(&mutex_);
  const Answer* const answer = answers_.Find(key);
  if (answer == nullptr) return std::nullopt;
  // A clock that was set back does not make an answer last longer.
  const absl::Duration age = clock_.Now() - answer->since;
  if (age >= absl::ZeroDuration() && age < answer->duration) return answer->status;
  answers_.Erase(key);
  return std::nullopt;
}

void NegativeAnswers::Forget(const std::string& key) {
  const absl::MutexLock lock(&mutex_);
  answers_.Erase(key);
}

}  // namespace entrepot::upstream
