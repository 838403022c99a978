#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_BLOB_RECORD_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_BLOB_RECORD_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"

// The records of a blob: its state, its links and references, and the delete intents of the objects that held its
// bytes. This is the life cycle that they record; these words are used for it everywhere.
//
// A blob is LIVE, CONDEMNED, CORRUPT, or has no record. An object (the bytes under one storage key) has at most one
// delete intent, which is a suspect or deletable.
//
//   state       meaning                                                                      ends with
//   LIVE        The blob can be pulled, mounted and referred to by new manifests.            condemn, mark corrupt
//   CONDEMNED   No manifest referred to the blob at its last review. Nothing can use the     revive, delete
//               blob, but reads under way may go on: the bytes stay until the grace is
//               over.
//   CORRUPT     The bytes are damaged or lost. Nothing can use the blob; references and      revive, condemn
//               links stay.
//   deletable   No blob has these bytes any more. The object must be deleted.                sweep
//   suspect     An orphan: an object that no session, record or intent named. No commit can  unmark, quarantine
//               use it. The mark of a quarantined suspect is removed after a while.
//
//   step             from       to         what it does                                          where
//   commit           none       LIVE       Makes a sealed upload a blob.                         catalog/blob_commit
//   revive           CONDEMNED, LIVE       A commit of a blob that has a record: the new bytes   catalog/blob_commit
//                    CORRUPT               replace the old ones, whose object becomes
//                                          deletable. To heal is to revive a CORRUPT blob.
//   queue            any        same       Adds a review queue entry for the blob.               records/review_queue
//   review           any        see below  Takes a queue entry that is due, and keeps, condemns  gc/blob_review
//                                          or deletes its blob.
//   condemn          LIVE,      CONDEMNED  Part of a review: no manifest refers to the blob,     gc/blob_review
//                    CORRUPT               and its lease is over.
//   delete           CONDEMNED  none       Part of a review after the grace (an operator may     gc/blob_review
//                                          skip it, see ReviewTerms): removes the record and
//                                          the links; the object becomes deletable.
//   review upload    none       deletable  Makes the object of an abandoned upload deletable,    gc/upload_review
//                                          unless a blob has it.
//   sweep            deletable  none       Deletes the object, and then the intent.              gc/object_sweep
//   mark             none       suspect    Writes an intent for an orphan.                       gc/orphan_quarantine
//   unmark           suspect    none       Removes the intent of a suspect that a blob record    gc/orphan_quarantine
//                                          names.
//   quarantine       suspect    same       Moves the object away, but keeps its bytes. The same  gc/orphan_quarantine,
//                                          happens to the bytes of a CORRUPT blob.               scrub/blob_verifier
//   verify           LIVE       same       Reads the bytes and compares them with the digest.    scrub/blob_verifier
//   mark corrupt     LIVE       CORRUPT    Records that the bytes are not what they should be.   scrub/blob_verifier
namespace entrepot::manifest {

// kDataLoss if the record does not contain a valid storage key.
absl::StatusOr<Blob> ToBlob(const Digest& digest, const storage::v1::BlobRecord& record);

// Whether a manifest of any repository refers to the digest.
absl::StatusOr<bool> IsReferredTo(kv::KvReader& kv, const Digest& digest);

// A link lets a repository use a blob.
absl::StatusOr<bool> HasLink(kv::KvReader& kv, const Digest& digest, const RepositoryName& repository);
absl::StatusOr<bool> HasAnyLink(kv::KvReader& kv, const Digest& digest);
// Writes the link unless it exists.
absl::Status EnsureLink(kv::KvTransaction& transaction, const Digest& digest, const RepositoryName& repository,
                        absl::Time now);

// Makes the object of the bytes deletable: from now on they belong to no blob. Replaces a suspect; does nothing if the
// object is deletable already. The transaction must hold the object exclusively.
absl::Status EnsureDeleteIntent(kv::KvTransaction& transaction, const Blob& blob, absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_BLOB_RECORD_H_
