#include "services/wire/open_upload_messages.h"

#include "services/core/time/proto_time.h"
#include "services/wire/waiting_messages.h"

namespace entrepot {

types::v1::UploadFilter ToMessage(const UploadFilter& filter) {
  types::v1::UploadFilter message;
  message.set_id(filter.id);
  message.set_repository(filter.repository);
  message.set_account(filter.account);
  message.set_client(filter.client);
  return message;
}

UploadFilter FromMessage(const types::v1::UploadFilter& message) {
  return {
      .id = message.id(), .repository = message.repository(), .account = message.account(), .client = message.client()};
}

types::v1::UploadList ToMessage(const OpenUploadPage& page) {
  types::v1::UploadList message;
  for (const OpenUpload& upload : page.uploads) {
    types::v1::OpenUpload& added = *message.add_uploads();
    added.set_id(upload.id);
    added.set_repository(upload.repository);
    added.set_account(upload.account);
    added.set_client(upload.client);
    added.set_received_bytes(upload.received_bytes);
    *added.mutable_started_at() = ToTimestamp(upload.started_at);
    *added.mutable_touched_at() = ToTimestamp(upload.touched_at);
    *added.mutable_expires_at() = ToTimestamp(upload.expires_at);
    added.set_in_use(upload.in_use);
  }
  message.set_next(page.next);
  return message;
}

OpenUploadPage FromMessage(const types::v1::UploadList& message) {
  OpenUploadPage page{.next = message.next()};
  for (const types::v1::OpenUpload& upload : message.uploads()) {
    page.uploads.push_back({.id = upload.id(),
                            .repository = upload.repository(),
                            .account = upload.account(),
                            .client = upload.client(),
                            .received_bytes = upload.received_bytes(),
                            .started_at = FromTimestamp(upload.started_at()),
                            .touched_at = FromTimestamp(upload.touched_at()),
                            .expires_at = FromTimestamp(upload.expires_at()),
                            .in_use = upload.in_use()});
  }
  return page;
}

types::v1::CancelledUploads ToMessage(const CancelledUploads& cancelled) {
  types::v1::CancelledUploads message;
  message.set_cancelled(cancelled.cancelled);
  message.set_in_use(cancelled.in_use);
  return message;
}

CancelledUploads FromMessage(const types::v1::CancelledUploads& message) {
  return {.cancelled = message.cancelled(), .in_use = message.in_use()};
}

types::v1::UploadTotals ToMessage(const UploadTotals& totals) {
  types::v1::UploadTotals message;
  message.set_sessions(totals.sessions);
  message.set_bytes(totals.bytes);
  *message.mutable_idle() = ToMessage(totals.idle);
  *message.mutable_sealed() = ToMessage(totals.sealed);
  return message;
}

UploadTotals FromMessage(const types::v1::UploadTotals& message) {
  return {.sessions = message.sessions(),
          .bytes = message.bytes(),
          .idle = FromMessage(message.idle()),
          .sealed = FromMessage(message.sealed())};
}

}  // namespace entrepot
