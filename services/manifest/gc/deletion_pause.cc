#include "services/manifest/gc/deletion_pause.h"

namespace entrepot::manifest {

void DeletionPause::Begin() {
  absl::MutexLock lock(&mutex_);
  ++pauses_;
  mutex_.Await(absl::Condition(
      +[](int* deletions) { return *deletions == 0; }, &deletions_));
}

void DeletionPause::End() {
  absl::MutexLock lock(&mutex_);
  --pauses_;
}

bool DeletionPause::in_force() {
  absl::MutexLock lock(&mutex_);
  return pauses_ > 0;
}

bool DeletionPause::TryBeginDeletion() {
  absl::MutexLock lock(&mutex_);
  if (pauses_ > 0) return false;
  ++deletions_;
  return true;
}

void DeletionPause::EndDeletion() {
  absl::MutexLock lock(&mutex_);
  --deletions_;
}

}  // namespace entrepot::manifest
