#ifndef ENTREPOT_SERVICES_MANIFEST_GC_DELETION_PAUSE_H_
#define ENTREPOT_SERVICES_MANIFEST_GC_DELETION_PAUSE_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace entrepot::manifest {

// Keeps objects from being deleted or quarantined while a backup copies them. Any number of deletions may run at once,
// and any number of pauses; a deletion and a pause never overlap. A deletion does not wait for the end of a pause: it
// is refused, and is tried again later. Thread-safe.
class DeletionPause {
 public:
  // Waits for the deletions under way. No deletion begins until every Begin() has had its End().
  void Begin();
  void End();
  bool in_force();

  // One deletion. If a pause is in force, allowed() is false and the deletion must not be made.
  class Deletion {
   public:
    explicit Deletion(DeletionPause* pause) : pause_(pause), allowed_(pause->TryBeginDeletion()) {}
    Deletion(const Deletion&) = delete;
    Deletion& operator=(const Deletion&) = delete;
    ~Deletion() {
      if (allowed_) pause_->EndDeletion();
    }
    bool allowed() const { return allowed_; }

   private:
    DeletionPause* const pause_;
    const bool allowed_;
  };

 private:
  bool TryBeginDeletion();
  void EndDeletion();

  absl::Mutex mutex_;
  int pauses_ ABSL_GUARDED_BY(mutex_) = 0;
  int deletions_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_GC_DELETION_PAUSE_H_
