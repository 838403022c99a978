#include "services/blob/sessions/shared_appender.h"

#include <utility>

#include "services/blob/objects/kv_object_store.h"
#include "services/blob/sessions/digester_state_record.h"
#include "services/blob/sessions/session_records.h"
#include "services/core/failpoint/failpoint.h"
#include "services/runtime/log/limited_log.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

SharedAppender::SharedAppender(const SharedParts& parts, SharedEndings* endings, UploadId id, const Record& stored,
                               SharedEndings::Content content, bool seals)
    : parts_(parts),
      endings_(*endings),
      id_(std::move(id)),
      seals_(seals),
      content_(std::move(content)),
      saved_bytes_(stored.offset_bytes()),
      saved_algorithm_(stored.digester().algorithm()),
      saved_whole_(stored.whole()) {}

SharedAppender::~SharedAppender() {
  if (done_) return;
  if (failure_.ok() && Changed()) {
    if (absl::Status status = Save(/*last=*/true); !status.ok()) {
      runtime::LogLimited(runtime::LogLevel::kWarning, "the state of an interrupted upload could not be saved", "",
                          {{"error", status.message()}});
    }
  }
  if (content_.claim != nullptr) content_.claim->Release();
}

absl::Status SharedAppender::Append(absl::string_view bytes) {
  RETURN_IF_ERROR(failure_);
  failure_ = Store(bytes);
  failure_.Update(Failpoint("blob.append.written"));
  RETURN_IF_ERROR(failure_);
  content_.digester.Update(bytes);
  // A replaced content is shorter than the saved one at first.
  const bool much = size_bytes() >= saved_bytes_ && size_bytes() - saved_bytes_ >= kCheckpointBytes;
  if (content_.staged != nullptr && much && content_.staged->SaveIsCheap()) failure_ = Save(/*last=*/false);
  return failure_;
}

absl::Status SharedAppender::Store(absl::string_view bytes) {
  if (content_.staged != nullptr) {
    RETURN_IF_ERROR(content_.claim->Confirm());
  } else {
    std::string& inline_bytes = *content_.record.mutable_inline_bytes();
    if (inline_bytes.size() + bytes.size() <= KvObjectStore::kObjectBytesMax) {
      inline_bytes.append(bytes.data(), bytes.size());
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(MoveToStaged());
  }
  return content_.staged->Append(bytes);
}

absl::Status SharedAppender::MoveToStaged() {
  Record& record = content_.record;
  if (content_.claim == nullptr) {
    ASSIGN_OR_RETURN(UploadClaims::Taken taken, parts_.claims->Take(id_, seals_, [&](const Record& stored) {
      return stored.version() == record.version() ? absl::OkStatus() : ChangedMeanwhile();
    }));
    content_.claim = std::move(taken.claim);
    record.set_version(content_.claim->version());
  } else {
    RETURN_IF_ERROR(content_.claim->Confirm());
  }
  ASSIGN_OR_RETURN(content_.staged, parts_.store->OpenStaged(id_, 0, record.staging_state()));
  const SessionOwner owner = InfoOf(record).owner;
  // All fetches have one share together.
  content_.staged->SetOwner(owner.Share(), /*spares_memory=*/owner.is_fetch());
  const std::string begun = std::move(*record.mutable_inline_bytes());
  record.clear_inline_bytes();
  record.set_staged_in_file(true);
  return begun.empty() ? absl::OkStatus() : content_.staged->Append(begun);
}

absl::StatusOr<Upload> SharedAppender::Finish() {
  RETURN_IF_ERROR(failure_);
  if (Changed()) {
    failure_ = Save(/*last=*/true);
    RETURN_IF_ERROR(failure_);
  } else if (content_.claim != nullptr) {
    content_.claim->Release();
  }
  done_ = true;
  return Upload{.id = id_, .offset_bytes = size_bytes(), .whole = content_.record.whole()};
}

absl::StatusOr<Blob> SharedAppender::FinishAndSeal(const Digest& digest) {
  RETURN_IF_ERROR(failure_);
  done_ = true;
  content_.record = CurrentRecord();
  return endings_.Seal(id_, std::move(content_), digest);
}

bool SharedAppender::Changed() const {
  return size_bytes() != saved_bytes_ || content_.record.whole() != saved_whole_ ||
         DigestAlgorithmName(content_.digester.algorithm()) != saved_algorithm_;
}

SharedAppender::Record SharedAppender::CurrentRecord() const {
  Record record = content_.record;
  record.set_offset_bytes(size_bytes());
  *record.mutable_digester() = ToRecord(content_.digester.Save());
  return record;
}

absl::Status SharedAppender::Save(bool last) {
  Record record = CurrentRecord();
  // Bytes of an earlier content that this one replaces.
  std::string obsolete;
  if (content_.staged != nullptr) {
    ASSIGN_OR_RETURN(*record.mutable_staging_state(), content_.staged->Save());
  } else {
    obsolete = std::move(*record.mutable_staging_state());
    record.clear_staging_state();
  }
  const std::string version = record.version();
  if (last) {
    record.set_version(VersionedRecords::NewVersion());
    record.clear_claim();
  } else {
    content_.claim->Stamp(record);
  }
  // The last save is acknowledged with an offset (202), and a client whose next request has no range relies on it.
  const kv::Durability durability = last ? kv::Durability::kSynced : kv::Durability::kBuffered;
  RETURN_IF_ERROR(parts_.records->Replace(id_, version, record, durability));
  if (content_.staged != nullptr) content_.staged->Recorded();
  if (!obsolete.empty()) parts_.store->DiscardStaged(id_, obsolete).IgnoreError();
  saved_bytes_ = record.offset_bytes();
  saved_algorithm_ = record.digester().algorithm();
  saved_whole_ = record.whole();
  content_.record.set_version(record.version());
  content_.record.set_staging_state(record.staging_state());
  if (last) content_.claim.reset();
  parts_.census->Set(id_, {.info = InfoOf(record), .in_use = !last});
  return absl::OkStatus();
}

}  // namespace entrepot::blob
