#ifndef ENTREPOT_SERVICES_OUTBOUND_CURL_TRANSPORT_H_
#define ENTREPOT_SERVICES_OUTBOUND_CURL_TRANSPORT_H_

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "services/outbound/curl_request.h"
#include "services/outbound/transport.h"

namespace entrepot::outbound {

// Why a response that is paced by its client lost its connection: it was not read for a while, or its client had more
// than another one.
enum class LostConnection { kUnread, kShare };

struct CurlTransportOptions {
  std::string user_agent = "entrepot";
  // PEM with the only authorities that may sign the server's certificate. Empty: those that the system trusts.
  std::string ca_file = {};
  absl::Duration connect_timeout = absl::Seconds(5);
  // Requests and responses in progress. Further ones wait for `wait_max`, then they are kUnavailable with a wait
  // (status/retry_after.h), which no other error has. Those that are paced by clients have three quarters, so that slow
  // clients leave connections to the rest.
  size_t connections_max = 256;
  absl::Duration wait_max = absl::Seconds(5);
  // A response that is paced by its client, and was not read for so long, loses its connection to one that waits.
  // Shorter than `wait_max`, so that slow clients make no request fail; longer than a quick client takes between reads.
  absl::Duration unread_max = absl::Seconds(2);
  // Responses of one client that wait for a connection at once; further ones fail at once, as those that have waited
  // do.
  size_t client_waiting_max = 8;
  // The name of connections_max in an error.
  std::string connections_max_name = "connections_max";
  // If it is not null, it is called when a response loses its connection to another one. Must not call the transport.
  std::function<void(LostConnection)> on_lost = nullptr;
};

// libcurl, with one connection for each request in progress, which stays open for the next one. A response that is not
// read takes no more than 512 KiB of memory; its server waits.
class CurlTransport : public Transport {
 public:
  explicit CurlTransport(CurlTransportOptions options);
  ~CurlTransport() override;

  absl::StatusOr<std::unique_ptr<WireResponse>> Send(const WireRequest& request) override;

 private:
  class Response;
  // An easy handle and the multi handle that has its connection.
  struct Lane {
    Curl easy;
    struct MultiDeleter {
      void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
    };
    std::unique_ptr<CURLM, MultiDeleter> multi;
  };

  absl::StatusOr<Lane> Take(const WireRequest& request);
  void GiveBack(Lane lane, bool paced_by_client, const std::string& client);
  bool IsFull(bool paced_by_client) const;
  absl::Status Full() const;
  // Takes the connection of a response that was not read for long. How long until there may be one, if there is none.
  absl::Duration TakeUnread();
  // Takes a connection of the client that has the most, if it has more than `client` will have.
  bool TakeFromLargest(const std::string& client);
  void Lose(Response* response, Lane lane, LostConnection reason);
  void CountTaken(bool paced_by_client, const std::string& client);
  void CountGivenBack(bool paced_by_client, const std::string& client);

  const CurlTransportOptions options_;
  const size_t paced_max_;
  // Acquired before that of a response.
  std::mutex mutex_;
  std::condition_variable given_back_;
  // All guarded by mutex_.
  size_t taken_ = 0;
  size_t paced_taken_ = 0;
  // Those that are paced by clients.
  std::set<Response*> paced_;
  // By client: how many of paced_taken_, and how many requests that wait. No zeros; without the empty client.
  std::map<std::string, size_t> paced_of_;
  std::map<std::string, size_t> waiting_of_;
  // The one that was used last is at the end: it is the one whose connection is most likely open.
  std::vector<Lane> idle_;
};

}  // namespace entrepot::outbound

#endif  // ENTREPOT_SERVICES_OUTBOUND_CURL_TRANSPORT_H_
