#include "services/blob/s3/s3_object_store.h"

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/types/span.h"
#include "services/blob/objects/unknown_upload.h"
#include "services/blob/s3/s3_object_reader.h"
#include "services/core/time/stopwatch.h"
#include "services/kv/kv_engine.h"
#include "services/status/status_macros.h"

namespace entrepot::blob::s3 {
namespace {

constexpr size_t kReadBytes = 1 << 20;
constexpr size_t kOwnerBytesMax = 256;
constexpr size_t kListMax = 1000;
constexpr int kStagedPagesMax = 100;
// A process that was killed between publishing an upload and recording it may still need the tail, to prove that the
// object has its bytes.
constexpr absl::Duration kTailsKept = absl::Minutes(1);

ObjectVersion VersionOf(const S3Head& head) {
  // Whoever writes other bytes changes the ETag.
  const std::string digest = Sha256Hex(head.etag);
  uint64_t hash = 0;
  (void)absl::SimpleHexAtoi(digest.substr(0, 16), &hash);
  return {.inode = hash, .size_bytes = head.size_bytes, .modified_nanoseconds = absl::ToUnixNanos(head.modified_at)};
}

}  // namespace

S3ObjectStore::S3ObjectStore(S3StoreOptions options, S3Bucket* bucket, const Clock* clock, BlobMetrics* metrics,
                             S3Metrics* s3_metrics)
    : options_(std::move(options)),
      bucket_(*bucket),
      clock_(*clock),
      metrics_(*metrics),
      memory_(options_.upload_memory_bytes_max, s3_metrics),
      sending_(options_.sending_threads),
      deleting_(options_.deleting_threads) {
  staging_.bucket = bucket;
  staging_.executor = &sending_;
  staging_.memory = &memory_;
  staging_.part_bytes = options_.part_bytes;
  staging_.object_key = [this](const UploadId& id) { return ObjectKey(KeyOf(id)); };
  staging_.tail_prefix = [this](const UploadId& id) { return TailPrefix(id); };
  staging_.delete_later = [this](std::string key) { DeleteLater(std::move(key)); };
}

absl::Status S3ObjectStore::CheckServer() {
  const std::string key = IdKey(options_.prefix);
  absl::Status status = bucket_.Probe(key);
  if (!absl::IsNotFound(status)) return status;
  return OciError(OciErrorCode::kUnavailable,
                  absl::StrCat("the S3 server does not have the object \"", key, "\" any more"));
}

absl::StatusOr<std::unique_ptr<StagedUpload>> S3ObjectStore::OpenStaged(const UploadId& id, uint64_t size_bytes,
                                                                        absl::string_view state) {
  if (size_bytes == 0) return std::make_unique<S3StagedUpload>(id, &staging_);
  return S3StagedUpload::Continue(id, size_bytes, state, &staging_);
}

absl::StatusOr<std::unique_ptr<StagedUpload>> S3ObjectStore::OpenPublished(const UploadId& id, uint64_t size_bytes) {
  const absl::StatusOr<S3Head> head = bucket_.Head(ObjectKey(KeyOf(id)));
  if (!head.ok() && !absl::IsNotFound(head.status())) return head.status();
  if (!head.ok() || head->size_bytes != size_bytes) return UnknownUpload();
  return S3StagedUpload::Published(id, size_bytes, &staging_);
}

absl::Status S3ObjectStore::Publish(const UploadId&, std::unique_ptr<StagedUpload> staged) {
  const Stopwatch stopwatch;
  absl::Status status = static_cast<S3StagedUpload&>(*staged).Publish();
  metrics_.ObserveOperation(StoreBackend::kS3, StoreOperation::kPublish, status.ok(), stopwatch.Elapsed());
  return status;
}

absl::Status S3ObjectStore::DiscardStaged(const UploadId& id, absl::string_view) {
  const std::string key = ObjectKey(KeyOf(id));
  // By listing: an upload whose state could not be recorded is found too.
  ASSIGN_OR_RETURN(const std::vector<S3OpenUpload> uploads, bucket_.ListUploads(key));
  absl::Status status;
  for (const S3OpenUpload& upload : uploads) {
    if (upload.key == key) status.Update(bucket_.Abort(key, upload.upload_id));
  }
  std::string start_after;
  while (true) {
    ASSIGN_OR_RETURN(const S3Listing tails, bucket_.List(TailPrefix(id), start_after, kListMax));
    for (const S3Listed& tail : tails.objects) status.Update(bucket_.Delete(tail.key));
    if (!tails.more || tails.objects.empty()) return status;
    start_after = tails.objects.back().key;
  }
}

absl::StatusOr<std::vector<UploadId>> S3ObjectStore::ListStaged() {
  const absl::Time oldest = clock_.Now() - options_.abandoned_after;
  std::set<UploadId> ids;
  const std::string objects = options_.prefix + "objects/f";
  ASSIGN_OR_RETURN(const std::vector<S3OpenUpload> uploads, bucket_.ListUploads(objects));
  for (const S3OpenUpload& upload : uploads) {
    absl::string_view name = upload.key;
    if (upload.begun_at >= oldest || !absl::ConsumePrefix(&name, objects)) continue;
    if (absl::StatusOr<UploadId> id = UploadId::Parse(name); id.ok()) ids.insert(*std::move(id));
  }
  const std::string tails = options_.prefix + "staging/";
  std::string start_after;
  for (int page = 0; page < kStagedPagesMax; ++page) {
    ASSIGN_OR_RETURN(const S3Listing listing, bucket_.List(tails, start_after, kListMax));
    for (const S3Listed& tail : listing.objects) {
      absl::string_view name = tail.key;
      if (tail.modified_at >= oldest || !absl::ConsumePrefix(&name, tails)) continue;
      if (absl::StatusOr<UploadId> id = UploadId::Parse(name.substr(0, name.find('/'))); id.ok()) {
        ids.insert(*std::move(id));
      }
    }
    if (!listing.more || listing.objects.empty()) break;
    start_after = listing.objects.back().key;
  }
  return std::vector<UploadId>(ids.begin(), ids.end());
}

absl::StatusOr<StoreOwner> S3ObjectStore::ReadOwner() {
  const absl::StatusOr<std::string> text = bucket_.Get(OwnerKey(), kOwnerBytesMax);
  if (absl::IsNotFound(text.status())) return StoreOwner();
  RETURN_IF_ERROR(text.status());
  std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(*text, absl::MaxSplits(' ', 1));
  StoreOwner owner{.catalog_id = std::string(parts.first)};
  if (owner.catalog_id.empty() || !absl::ConsumeSuffix(&parts.second, "\n") ||
      !absl::SimpleAtoi(parts.second, &owner.generation)) {
    return absl::DataLossError("the object \"catalog\" of the blob store is damaged");
  }
  return owner;
}

absl::Status S3ObjectStore::WriteOwner(const StoreOwner& owner) {
  absl::MutexLock lock(&owner_mutex_);
  const absl::StatusOr<StoreOwner> now = ReadOwner();
  if (!now.ok() && !absl::IsDataLoss(now.status())) return now.status();
  if (now.ok() && now->catalog_id == owner.catalog_id && now->generation > owner.generation) return absl::OkStatus();
  return bucket_.Put(OwnerKey(), absl::StrCat(owner.catalog_id, " ", owner.generation, "\n"), /*if_absent=*/false)
      .status();
}

absl::StatusOr<OpenObject> S3ObjectStore::Open(const StorageKey& key) {
  const Stopwatch stopwatch;
  absl::StatusOr<S3Head> head = bucket_.Head(ObjectKey(key));
  metrics_.ObserveOperation(StoreBackend::kS3, StoreOperation::kOpen, head.ok() || absl::IsNotFound(head.status()),
                            stopwatch.Elapsed());
  RETURN_IF_ERROR(head.status());
  const uint64_t size = head->size_bytes;
  const ObjectVersion version = VersionOf(*head);
  return OpenObject{
      .content = std::make_unique<S3ObjectReader>(ObjectKey(key), *std::move(head), &bucket_, options_.urls),
      .size_bytes = size,
      .version = version};
}

absl::StatusOr<OpenObject> S3ObjectStore::OpenInMemory(const StorageKey&) { return kv::NotInMemory(); }

std::vector<absl::Status> S3ObjectStore::DeleteAll(const std::vector<StorageKey>& keys) {
  const Stopwatch stopwatch;
  // Each object, and behind it its quarantined copy.
  std::vector<std::string> names;
  for (const StorageKey& key : keys) {
    names.push_back(ObjectKey(key));
    names.push_back(QuarantineKey(key));
  }
  std::vector<absl::Status> deleted(names.size());
  const size_t batch = bucket_.delete_batch();
  absl::BlockingCounter left(static_cast<int>((names.size() + batch - 1) / batch));
  for (size_t begin = 0; begin < names.size(); begin += batch) {
    deleting_.Post([this, &names, &deleted, &left, begin, batch] {
      const absl::Span<const std::string> part = absl::MakeConstSpan(names).subspan(begin, batch);
      const std::vector<absl::Status> statuses = bucket_.DeleteAll({part.begin(), part.end()});
      std::copy(statuses.begin(), statuses.end(), &deleted[begin]);
      left.DecrementCount();
    });
  }
  left.Wait();
  std::vector<absl::Status> statuses(keys.size());
  const absl::Duration each = stopwatch.Elapsed() / static_cast<double>(std::max<size_t>(keys.size(), 1));
  for (size_t i = 0; i < keys.size(); ++i) {
    statuses[i] = deleted[2 * i];
    statuses[i].Update(deleted[2 * i + 1]);
    metrics_.ObserveOperation(StoreBackend::kS3, StoreOperation::kDelete, statuses[i].ok(), each);
  }
  return statuses;
}

absl::Status S3ObjectStore::ReadFromDisk(const StorageKey& key, const std::function<bool(absl::string_view)>& take) {
  ASSIGN_OR_RETURN(const OpenObject object, Open(key));
  ObjectReader& reader = *std::get<std::unique_ptr<ObjectReader>>(object.content);
  const auto buffer = std::make_unique<char[]>(kReadBytes);
  for (uint64_t offset = 0; offset < object.size_bytes;) {
    const size_t wanted = std::min<uint64_t>(kReadBytes, object.size_bytes - offset);
    ASSIGN_OR_RETURN(const size_t count, reader.ReadAt(buffer.get(), wanted, offset));
    if (count < wanted) return absl::DataLossError("the object is shorter than it was");
    if (!take(absl::string_view(buffer.get(), count))) return absl::OkStatus();
    offset += count;
  }
  return absl::OkStatus();
}

absl::Status S3ObjectStore::Quarantine(const StorageKey& key) {
  const absl::StatusOr<S3Head> head = bucket_.Head(ObjectKey(key));
  if (absl::IsNotFound(head.status())) return absl::OkStatus();
  RETURN_IF_ERROR(head.status());
  RETURN_IF_ERROR(bucket_.Copy(ObjectKey(key), QuarantineKey(key), head->size_bytes));
  // A copy that is not whole must not replace the object.
  ASSIGN_OR_RETURN(const S3Head copy, bucket_.Head(QuarantineKey(key)));
  if (copy.size_bytes != head->size_bytes) return absl::DataLossError("the copy of an object has another size");
  return bucket_.Delete(ObjectKey(key));
}

absl::StatusOr<Waiting> S3ObjectStore::CountQuarantined(size_t limit) {
  Waiting quarantined;
  std::string start_after;
  while (true) {
    ASSIGN_OR_RETURN(const S3Listing listing, bucket_.List(options_.prefix + "quarantine/", start_after, kListMax));
    for (const S3Listed& object : listing.objects) {
      quarantined.more = quarantined.count == limit;
      if (quarantined.more) return quarantined;
      quarantined.Add(object.size_bytes);
    }
    if (!listing.more || listing.objects.empty()) return quarantined;
    start_after = listing.objects.back().key;
  }
}

absl::StatusOr<ObjectList> S3ObjectStore::List(absl::string_view start_after, size_t limit) {
  const std::string prefix = options_.prefix + "objects/";
  ObjectList list;
  std::string after = start_after.empty() ? "" : absl::StrCat(prefix, start_after);
  while (true) {
    ASSIGN_OR_RETURN(const S3Listing listing, bucket_.List(prefix, after, std::min(limit, kListMax)));
    for (const S3Listed& object : listing.objects) {
      absl::StatusOr<StorageKey> key = StorageKey::Parse(absl::StripPrefix(object.key, prefix));
      if (!key.ok()) continue;
      list.objects.push_back(
          {.key = *std::move(key), .size_bytes = object.size_bytes, .written_at = object.modified_at});
    }
    list.more = listing.more && !listing.objects.empty();
    // `more` needs an object to continue behind.
    if (!list.more || !list.objects.empty()) return list;
    after = listing.objects.back().key;
  }
}

void S3ObjectStore::DeleteLater(std::string key) {
  std::vector<std::string> due;
  {
    absl::MutexLock lock(&old_tails_mutex_);
    const absl::Time now = clock_.Now();
    old_tails_.emplace_back(now, std::move(key));
    while (!old_tails_.empty() && old_tails_.front().first + kTailsKept <= now) {
      due.push_back(std::move(old_tails_.front().second));
      old_tails_.pop_front();
    }
  }
  for (std::string& old : due) {
    // What cannot be deleted is found by ListStaged().
    deleting_.Post([this, old = std::move(old)] { bucket_.Delete(old).IgnoreError(); });
  }
}

}  // namespace entrepot::blob::s3
