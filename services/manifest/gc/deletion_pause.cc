#include "services/manifest/gc/deletion_pause.h"

namespace entrepot::manifest {

void DeletionGate::Close() {
  absl::MutexLock lock(&mutex_);
  ++closed_;
  mutex_.Await(absl::Condition(
      +[](int* passing) { return *passing == 0; }, &passing_));
}

void DeletionGate::Open() {
  absl::MutexLock lock(&mutex_);
  --closed_;
}

bool DeletionGate::Enter() {
  absl::MutexLock lock(&mutex_);
  if (closed_ > 0) return false;
  ++passing_;
  return true;
}

void DeletionGate::Leave() {
  absl::MutexLock lock(&mutex_);
  --passing_;
}

}  // namespace entrepot::manifest
