#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/blob/objects/object_reader.h"
#include "services/core/blob_storage.h"
#include "services/core/files/disk_space.h"
#include "services/core/files/owned_fd.h"
#include "services/core/storage_key.h"
#include "services/core/upload_id.h"
#include "services/core/waiting.h"

// Where the bytes of blobs are kept.
//
//   ObjectStore          objects by storage key; implemented by
//     KvObjectStore        small objects, as values of the KV
//     StagingObjectStore   large objects, and the uploads that become them; implemented by
//       FilesystemObjectStore
//       S3ObjectStore        (services/blob/s3)
//     TieredObjectStore    both of them, by the tier that the storage key names
//   VerifiedReader       reads from an ObjectStore that never show a corrupt object as whole
//   LocalBlobStorage     what the manifest service may ask (BlobStorage), over an ObjectStore and the upload sessions
//
// The test of a store for large objects instantiates object_store_conformance; OpenObjectStore() in
// services/blob/blob_stack.cc is the one place that chooses one.
namespace entrepot::blob {

// Tells the bytes of a file from what they become if another process writes to them. Hard links, as a backup makes
// them, do not change it.
struct ObjectVersion {
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  int64_t modified_nanoseconds = 0;

  friend bool operator==(const ObjectVersion&, const ObjectVersion&) = default;
};

// An object's bytes in the cheapest form: the bytes of a small object, the open file of a large one, or a reader of one
// that another server has.
struct OpenObject {
  std::variant<std::string, OwnedFd, std::unique_ptr<ObjectReader>> content;
  uint64_t size_bytes = 0;
  // Of a file, or of an object of another server.
  ObjectVersion version = {};
};

struct ListedObject {
  StorageKey key;
  uint64_t size_bytes = 0;
  // If the store knows it.
  std::optional<absl::Time> written_at;
};

struct ObjectList {
  std::vector<ListedObject> objects;
  // Whether more may follow. `objects` is not empty then.
  bool more = false;
};

// Objects by storage key. Implementations are thread-safe; calls may block on the disk. kUnavailable while the store
// cannot be read, or is read-only and the call would write.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  // kNotFound if no object has that key; kDataLoss if it cannot be read.
  virtual absl::StatusOr<OpenObject> Open(const StorageKey& key) = 0;
  // The same without waiting for the disk to read a value of the KV: kv::NotInMemory() if it must be read.
  virtual absl::StatusOr<OpenObject> OpenInMemory(const StorageKey& key) { return Open(key); }
  // Deletes the objects, and their quarantined copies, durably. Returns a status for each key, in their order: OK also
  // if the object does not exist.
  virtual std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) = 0;
  absl::Status Delete(const StorageKey& key) { return DeleteAll({key}).front(); }
  // Gives all bytes to `take`, in order and in pieces, until it returns false. The bytes come from the disk itself if
  // possible, and do not displace other bytes from the page cache. Errors are those of Open().
  virtual absl::Status ReadFromDisk(const StorageKey& key, const std::function<bool(absl::string_view)>& take) = 0;
  // Hides the object from Open() and List() and keeps its bytes, durably. OK if it does not exist.
  virtual absl::Status Quarantine(const StorageKey& key) = 0;
  // See BlobStorage.
  virtual absl::StatusOr<Waiting> CountQuarantined(size_t limit) = 0;
  // The objects behind `start_after` (any text) in the order of their keys, at most `limit` (> 0), maybe fewer.
  virtual absl::StatusOr<ObjectList> List(absl::string_view start_after, size_t limit) = 0;
};

// The bytes of one upload that is not an object yet. Not thread-safe; calls block on the disk.
class StagedUpload {
 public:
  virtual ~StagedUpload() = default;

  // Whose share of the store's memory the bytes count against, if the store has shares
  // (services/core/client_network.h); empty: of none. `spares_memory`: it holds as little as it can, even if that is
  // slower. Call it before anything else.
  virtual void SetOwner(const std::string& /*owner*/, bool /*spares_memory*/) {}
  // How many bytes it holds. An Append that failed does not change it.
  virtual uint64_t size_bytes() const = 0;
  // Adds bytes at the end. Those of a file survive the process, not a power cut; those of a shared store survive it
  // only if they are saved. kUnavailable if the disk is full or broken.
  virtual absl::Status Append(absl::string_view bytes) = 0;
  // Cuts the upload to its first `size_bytes`, at most its size, and gives the rest back to the disk. A shared store
  // does so only for zero and for bytes behind the last part that it has sent: kUnavailable for others.
  virtual absl::Status Truncate(uint64_t size_bytes) = 0;
  // Makes the bytes durable. After a failure the bytes must not be relied on.
  virtual absl::Status Sync() = 0;
  // Makes all bytes so far available to every process that opens the upload with the returned state, which is opaque:
  // empty for files, else some hundred bytes and 20 for each part. Call it before the session's record is written, with
  // the state in the record. Bytes of the states that earlier calls returned stay as well, until Recorded().
  virtual absl::StatusOr<std::string> Save() { return std::string(); }
  // The session's record has the state of the last Save(): what only earlier states need may be deleted.
  virtual void Recorded() {}
  // Whether Save() is cheap now. If not, do not save in the middle of a request, nor before a Publish.
  virtual bool SaveIsCheap() const { return true; }
  // Gives all bytes to `take`, in order and in pieces. kDataLoss if they cannot be read. A shared store has to publish
  // the upload for it, so that only Publish may follow.
  virtual absl::Status Read(const std::function<void(absl::string_view)>& take) = 0;
};

// Objects that are too large for the KV, and the uploads that become them. The id of an upload names its staged bytes
// and its object; an upload becomes one object at most. Only one thread at a time may work on one upload.
//
// Staged bytes belong to this process alone (files), or to all processes that use the store (S3, shared()). In a shared
// store, a process whose claim of a session was taken over may still write: it can make a Publish of that session fail,
// but the object never has bytes other than those of the process that published it.
//
// Every write except DiscardStaged is kUnavailable (UNAVAILABLE) while the store is read-only or the disk is full. A
// missing object or upload is kNotFound.
class StagingObjectStore : public ObjectStore {
 public:
  // The key of the object that an upload becomes.
  static StorageKey KeyOf(const UploadId& id) { return *StorageKey::Parse("f" + id.ToString()); }

  // OK, or kUnavailable with the reason why the store is read-only.
  virtual absl::Status CheckWritable() const = 0;
  // OK, or kUnavailable if there is no room for a new upload. A reserve stays free (services/core/files/disk_space.h).
  virtual absl::Status CheckSpace() const = 0;
  // OK, or kUnavailable with the reason why the server of the store cannot be used. May wait for the server for some
  // seconds: for health checks, not for requests.
  virtual absl::Status CheckServer() { return absl::OkStatus(); }
  // The space of the disk that holds the objects. kUnavailable or kUnimplemented if it is not known.
  virtual absl::StatusOr<DiskSpace> Space() const = 0;

  // Whether other processes use the same store and go on with the uploads of this one.
  virtual bool shared() const { return false; }
  // The staged bytes of an upload, cut to the first `size_bytes`; zero starts anew. kNotFound if fewer are staged. For
  // a shared store, `size_bytes` and `state` (see Save()) are those of one record; a file's state is empty. The bytes
  // of a shared store need not be verified: they were durable when their state was saved.
  virtual absl::StatusOr<std::unique_ptr<StagedUpload>> OpenStaged(const UploadId& id, uint64_t size_bytes,
                                                                   absl::string_view state) = 0;
  // The object of an upload, if it exists and has that size: for a Publish whose outcome is unknown. Publish may be
  // called on the result to make the object durable. Of a shared store, compare the bytes (Read()) before you rely on
  // them: a process whose claim was taken over may have made it.
  virtual absl::StatusOr<std::unique_ptr<StagedUpload>> OpenPublished(const UploadId& id, uint64_t size_bytes) = 0;
  // Makes the staged bytes the object KeyOf(id), durably. On an error nothing is published; if bytes may have been lost
  // on their way to the disk they are deleted, so that OpenStaged does not find them.
  virtual absl::Status Publish(const UploadId& id, std::unique_ptr<StagedUpload> staged) = 0;
  // Deletes the staged bytes of all states of the upload; `state` may be empty if it is not known. OK if nothing is
  // staged.
  virtual absl::Status DiscardStaged(const UploadId& id, absl::string_view state) = 0;
  // The uploads that have staged bytes; of a shared store, only those whose bytes are older than any session can be.
  // Staged bytes without a session's record may be discarded.
  virtual absl::StatusOr<std::vector<UploadId>> ListStaged() = 0;

  // The catalog that uses the store (services/core/blob_storage.h). WriteOwner is durable and replaces it as a whole.
  virtual absl::StatusOr<StoreOwner> ReadOwner() = 0;
  virtual absl::Status WriteOwner(const StoreOwner& owner) = 0;

  // Copies all objects into the new directory `to`, whose parent exists, durably, without the owner. Objects that are
  // published or deleted during the call may or may not be in the copy. kUnimplemented if the store cannot be copied
  // into a directory.
  virtual absl::StatusOr<ObjectSnapshot> CopyTo(const std::string& to) = 0;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_OBJECT_STORE_H_
