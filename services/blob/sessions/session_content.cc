#include "services/blob/sessions/session_content.h"

#include "services/blob/objects/kv_object_store.h"
#include "services/blob/sessions/digester_state_record.h"
#include "services/core/failpoint/failpoint.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

absl::Status SessionContent::Append(absl::string_view bytes) {
  absl::Status status = Store(bytes);
  status.Update(Failpoint("blob.append.written"));
  if (!status.ok()) {
    RollBack();
    return status;
  }
  digester_.Update(bytes);
  return absl::OkStatus();
}

storage::v1::UploadRecord SessionContent::Record() const {
  storage::v1::UploadRecord record = record_;
  record.set_offset_bytes(size_bytes());
  *record.mutable_digester() = ToRecord(digester_.Save());
  return record;
}

absl::Status SessionContent::Store(absl::string_view bytes) {
  if (staged_ == nullptr) {
    if (record_.inline_bytes().size() + bytes.size() <= KvObjectStore::kObjectBytesMax) {
      record_.mutable_inline_bytes()->append(bytes.data(), bytes.size());
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(MoveToStaged());
  }
  return staged_->Append(bytes);
}

absl::Status SessionContent::MoveToStaged() {
  ASSIGN_OR_RETURN(staged_, uploads_.Create(id_));
  began_inline_ = std::move(*record_.mutable_inline_bytes());
  record_.clear_inline_bytes();
  record_.set_staged_in_file(true);
  absl::Status status = began_inline_.empty() ? absl::OkStatus() : staged_->Append(began_inline_);
  began_inline_.resize(began_.length_bytes);
  return status;
}

void SessionContent::RollBack() {
  if (began_staged_) {
    if (absl::Status status = staged_->Truncate(began_.length_bytes); !status.ok()) {
      // All bytes that were accepted so far still exist.
      runtime::LogLimited(runtime::LogLevel::kWarning, "an upload could not be rolled back", "",
                          {{"error", status.message()}});
      return;
    }
  } else if (record_.staged_in_file()) {
    staged_.reset();
    uploads_.Discard(id_).IgnoreError();
    record_.set_inline_bytes(began_inline_);
    record_.set_staged_in_file(false);
  } else {
    record_.mutable_inline_bytes()->resize(began_.length_bytes);
  }
  // The state was saved by this object, so it is valid.
  digester_ = *Digester::Restore(began_);
}

}  // namespace entrepot::blob
