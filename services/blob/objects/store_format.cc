#include "services/blob/objects/store_format.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/blob_records.pb.h"
#include "services/blob/io/file_io.h"
#include "services/blob/io/io_error.h"
#include "services/blob/objects/blob_keys.h"
#include "services/core/text/lower_hex.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr uint32_t kVersion = 1;
constexpr size_t kIdBytes = 16;

// Empty if the file does not exist or is incomplete.
absl::StatusOr<std::string> ReadStoreId(const BlobDirectory& directory, SystemCalls& calls) {
  const OwnedFd fd = OpenAtFully(calls, directory.root(), kStoreIdFile, O_RDONLY);
  if (fd.get() < 0) {
    if (errno == ENOENT) return "";
    return ReadError("opening the file store_id", errno);
  }
  std::string id(2 * kIdBytes, '\0');
  ASSIGN_OR_RETURN(const size_t size, PReadFully(calls, fd.get(), id.data(), id.size(), 0));
  if (size != id.size() || !IsLowerHex(id)) return "";
  return id;
}

absl::Status WriteStoreId(const BlobDirectory& directory, SystemCalls& calls, const std::string& id) {
  const OwnedFd fd = OpenAtFully(calls, directory.root(), kStoreIdFile, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  int error = fd.get() < 0 ? errno : PWriteFully(calls, fd.get(), absl::StrCat(id, "\n"), 0);
  if (error == 0) error = FSyncFully(calls, fd.get());
  if (error == 0) error = FSyncFully(calls, directory.root());
  return error == 0 ? absl::OkStatus() : WriteError("writing the file store_id", error);
}

absl::Status WriteRecord(kv::KvEngine& kv, const std::string& id) {
  storage::v1::BlobFormatRecord record;
  record.set_version(kVersion);
  record.set_store_id(id);
  return kv.Transact(
      {},
      [&](kv::KvTransaction& transaction) {
        transaction.Put(kFormatKey, record.SerializeAsString());
        return absl::OkStatus();
      },
      kv::Durability::kSynced);
}

absl::Status CheckRecord(const std::string& value, const std::string& found_id, const StoreIdentity& identity) {
  storage::v1::BlobFormatRecord record;
  if (!record.ParseFromString(value)) return absl::DataLossError("the blob store's format record is corrupt");
  if (record.version() != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat("the blob store has format ", record.version(),
                                                      "; this program knows only ", kVersion,
                                                      ": run the version that wrote it, or a later one"));
  }
  if (record.store_id() != found_id) {
    return absl::FailedPreconditionError(
        absl::StrCat(identity.name, " is not the one that the database belongs to (store_id ",
                     found_id.empty() ? "missing" : found_id, ", expected ", record.store_id(),
                     "): ", identity.question, " Restore both from the same backup"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckStoreIdentity(kv::KvEngine& kv, const StoreIdentity& identity) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, kv.Get(kFormatKey));
  ASSIGN_OR_RETURN(std::string id, identity.read());
  if (value.has_value()) return CheckRecord(*value, id, identity);
  // Either the first start died between writing the id and the record, or the database is lost.
  ASSIGN_OR_RETURN(const bool used, identity.has_objects());
  if (used) {
    return absl::FailedPreconditionError(
        absl::StrCat(identity.name, " is in use, but its database is empty: restore both from the same backup"));
  }
  if (id.empty()) {
    ASSIGN_OR_RETURN(id, identity.write(RandomLowerHex(kIdBytes)));
  }
  return WriteRecord(kv, id);
}

absl::Status CheckStoreFormat(kv::KvEngine& kv, const BlobDirectory& directory, SystemCalls& calls) {
  return CheckStoreIdentity(kv, {.name = "the directory of blobs",
                                 .question = "is its volume mounted?",
                                 .read = [&] { return ReadStoreId(directory, calls); },
                                 .write = [&](const std::string& id) -> absl::StatusOr<std::string> {
                                   RETURN_IF_ERROR(WriteStoreId(directory, calls, id));
                                   return id;
                                 },
                                 .has_objects = [&] { return directory.HasObjects(); }});
}

}  // namespace entrepot::blob
