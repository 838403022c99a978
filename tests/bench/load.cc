// Puts load on any registry, for scripts/bench. Prints one JSON object with the seconds of the timed part.
//
//   load push HOST PORT REPOSITORY BLOB_MIB BLOBS
//     pushes BLOBS blobs in parallel: POST, PATCH, PUT
//   load pull HOST PORT REPOSITORY BLOB_MIB BLOBS
//     pushes them (not timed), then pulls them in parallel, several times
//   load small HOST PORT REPOSITORY IMAGES CONNECTIONS
//     pushes images of a 4 KiB layer, a config and a manifest; also prints the median and the 99th percentile of their
//     times
//   load dead HOST PORT REPOSITORY BLOBS CONNECTIONS
//     pushes blobs of 4 KiB that no manifest references
//   load churn HOST PORT REPOSITORY RATE SECONDS
//     pushes RATE such images a second for twice SECONDS, as far as the registry can, and deletes each at once. Also
//     prints the times of the pushes, the number of images, how many of them are of the first half, and how many of
//     their layers are left at the end
//   load image HOST PORT REPOSITORY CLIENTS PULLS
//     CLIENTS clients begin at the same time to pull the image REPOSITORY:v1, each PULLS times, layer by layer. Also
//     prints the times of the pulls, and after which time the first client had the first byte of its first layer
//   load steady_small|steady_large|steady_pulls HOST PORT REPOSITORY CLIENTS SECONDS
//     CLIENTS clients push such images, push blobs of 64 MiB, or pull the image REPOSITORY:v1, and think in between:
//     for a random time whose mean is LOAD_THINK_MS of the environment (0 without it). They do so for SECONDS, of which
//     the first quarter is not measured. Also prints how many pushes or pulls ended in the rest ("images"), and their
//     times
//
// Content is random and new in every run. What other modes than churn and steady_* push is made before the clock
// starts. If the environment has LOAD_TOKEN, every request carries it as its bearer token.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "services/core/digester.h"
#include "services/status/status_macros.h"
#include "tests/http_client/http_connection.h"

namespace entrepot::tests {
namespace {

constexpr size_t kMiB = 1024 * 1024;
constexpr size_t kPieceBytes = 16 * kMiB;
// What makes a blob another one than those that repeat the same piece.
constexpr size_t kOwnBytes = 64;
constexpr size_t kChurnConnections = 16;

struct Target {
  std::string host;
  int port = 0;
  std::string repository;
};

// The Authorization line of every request.
const std::string& Authorization() {
  static const auto* const line = [] {
    const char* const token = std::getenv("LOAD_TOKEN");
    return new std::string(token == nullptr ? "" : absl::StrCat("Authorization: Bearer ", token, "\r\n"));
  }();
  return *line;
}

std::string RandomBytes(size_t count) {
  absl::BitGen random;
  std::string bytes(count, '\0');
  for (size_t i = 0; i + 8 <= count; i += 8) {
    const uint64_t word = absl::Uniform<uint64_t>(random);
    std::memcpy(&bytes[i], &word, 8);
  }
  return bytes;
}

struct LargeBlob {
  std::string last;
  std::string digest;
};

// Blobs of one size that are never in memory as a whole: they repeat one random piece, and only their last bytes
// differ. So gigabytes of content, and their digests, cost little. Thread-safe once it is made.
class LargeBlobs {
 public:
  explicit LargeBlobs(size_t size_bytes) : piece_(RandomBytes(kPieceBytes)), size_bytes_(size_bytes) {
    Digester digester(DigestAlgorithm::kSha256);
    (void)ForEachSharedPiece([&](absl::string_view bytes) {
      digester.Update(bytes);
      return absl::OkStatus();
    });
    shared_ = digester.Save();
  }

  size_t size_bytes() const { return size_bytes_; }

  absl::StatusOr<LargeBlob> Make() const {
    ASSIGN_OR_RETURN(Digester digester, Digester::Restore(shared_));
    LargeBlob blob{.last = RandomBytes(kOwnBytes), .digest = ""};
    digester.Update(blob.last);
    blob.digest = digester.Current().ToString();
    return blob;
  }

  template <typename Consume>
  absl::Status ForEachPiece(const LargeBlob& blob, Consume consume) const {
    RETURN_IF_ERROR(ForEachSharedPiece(consume));
    return consume(absl::string_view(blob.last));
  }

 private:
  template <typename Consume>
  absl::Status ForEachSharedPiece(Consume consume) const {
    const size_t shared_bytes = size_bytes_ - kOwnBytes;
    for (size_t done = 0; done < shared_bytes;) {
      const absl::string_view next = absl::string_view(piece_).substr(0, shared_bytes - done);
      RETURN_IF_ERROR(consume(next));
      done += next.size();
    }
    return absl::OkStatus();
  }

  const std::string piece_;
  const size_t size_bytes_;
  DigesterState shared_;
};

absl::Status Expect(const absl::StatusOr<HttpResponse>& response, int status) {
  if (!response.ok()) return response.status();
  if (response->status == status) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("expected ", status, ": ", response->head, response->body));
}

// The path and query of a Location, which may be a whole URL.
std::string LocationTarget(absl::string_view location) {
  const size_t scheme = location.find("://");
  if (scheme == absl::string_view::npos) return std::string(location);
  return std::string(location.substr(location.find('/', scheme + 3)));
}

std::string WithDigest(const std::string& location, absl::string_view digest) {
  return absl::StrCat(location, absl::StrContains(location, '?') ? "&" : "?", "digest=", digest);
}

absl::StatusOr<std::string> StartUpload(HttpConnection& connection, const Target& target) {
  const auto response =
      connection.Call("POST", absl::StrCat("/v2/", target.repository, "/blobs/uploads/"), Authorization());
  RETURN_IF_ERROR(Expect(response, 202));
  return LocationTarget(response->Field("Location"));
}

absl::Status PushLarge(HttpConnection& connection, const Target& target, const LargeBlobs& blobs,
                       const LargeBlob& blob) {
  ASSIGN_OR_RETURN(const std::string location, StartUpload(connection, target));
  RETURN_IF_ERROR(connection.Send(
      absl::StrCat("PATCH ", location, " HTTP/1.1\r\nHost: ", target.host, ":", target.port, "\r\n", Authorization(),
                   "Content-Type: application/octet-stream\r\nContent-Length: ", blobs.size_bytes(), "\r\n\r\n")));
  RETURN_IF_ERROR(blobs.ForEachPiece(blob, [&](absl::string_view bytes) { return connection.Send(bytes); }));
  const auto patched = connection.Receive("PATCH");
  RETURN_IF_ERROR(Expect(patched, 202));
  return Expect(
      connection.Call("PUT", WithDigest(LocationTarget(patched->Field("Location")), blob.digest), Authorization()),
      201);
}

absl::Status PullLarge(const Target& target, const LargeBlob& blob, size_t size_bytes) {
  ASSIGN_OR_RETURN(HttpConnection connection, HttpConnection::Open(target.host, target.port));
  const auto response =
      connection.Call("GET", absl::StrCat("/v2/", target.repository, "/blobs/", blob.digest), Authorization(), "",
                      /*keep_body=*/false);
  RETURN_IF_ERROR(Expect(response, 200));
  if (response->body_bytes == size_bytes) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("pulled ", response->body_bytes, " bytes"));
}

absl::Status PushSmallBlob(HttpConnection& connection, const Target& target, const std::string& bytes,
                           const std::string& digest) {
  ASSIGN_OR_RETURN(const std::string location, StartUpload(connection, target));
  return Expect(connection.Call("PUT", WithDigest(location, digest),
                                absl::StrCat(Authorization(), "Content-Type: application/octet-stream\r\n"), bytes),
                201);
}

struct SmallImage {
  std::string layer, layer_digest, config, config_digest, manifest, tag;
};

SmallImage MakeSmallImage(int number) {
  SmallImage image;
  image.layer = RandomBytes(4096);
  image.layer_digest = ComputeDigest(DigestAlgorithm::kSha256, image.layer).ToString();
  image.config =
      absl::StrCat("{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"",
                   image.layer_digest, "\"]}}");
  image.config_digest = ComputeDigest(DigestAlgorithm::kSha256, image.config).ToString();
  image.manifest = absl::StrCat(
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":)",
      R"("application/vnd.oci.image.config.v1+json","digest":")", image.config_digest, R"(","size":)",
      image.config.size(), R"(},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":")",
      image.layer_digest, R"(","size":4096}]})");
  image.tag = absl::StrCat("t", number);
  return image;
}

absl::Status PushSmallImage(HttpConnection& connection, const Target& target, const SmallImage& image) {
  RETURN_IF_ERROR(PushSmallBlob(connection, target, image.layer, image.layer_digest));
  RETURN_IF_ERROR(PushSmallBlob(connection, target, image.config, image.config_digest));
  return Expect(
      connection.Call("PUT", absl::StrCat("/v2/", target.repository, "/manifests/", image.tag),
                      absl::StrCat(Authorization(), "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n"),
                      image.manifest),
      201);
}

struct Timing {
  double seconds = 0;
  // Of one image; 0 in other modes.
  double median_ms = 0;
  double p99_ms = 0;
  // Of churn.
  size_t images = 0;
  size_t first_half = 0;
  size_t left = 0;
  // Of image.
  double first_byte_ms = 0;

  void SetTimes(std::vector<double> milliseconds) {
    images = milliseconds.size();
    if (milliseconds.empty()) return;
    std::sort(milliseconds.begin(), milliseconds.end());
    median_ms = milliseconds[milliseconds.size() / 2];
    p99_ms = milliseconds[milliseconds.size() * 99 / 100];
  }
};

// Runs work(0) to work(count - 1), each on a thread of its own. Returns the seconds, or the first error.
template <typename Work>
absl::StatusOr<double> TimeInParallel(size_t count, Work work) {
  std::vector<absl::Status> results(count);
  const absl::Time start = absl::Now();
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < count; ++i) threads.emplace_back([&, i] { results[i] = work(i); });
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - start);
  for (const absl::Status& result : results) RETURN_IF_ERROR(result);
  return seconds;
}

absl::StatusOr<double> RunLarge(const Target& target, size_t size_bytes, size_t count, bool pull) {
  const LargeBlobs blobs(size_bytes);
  std::vector<LargeBlob> made(count);
  for (LargeBlob& each : made) {
    ASSIGN_OR_RETURN(each, blobs.Make());
  }
  auto pushed = TimeInParallel(count, [&](size_t i) -> absl::Status {
    ASSIGN_OR_RETURN(HttpConnection connection, HttpConnection::Open(target.host, target.port));
    return PushLarge(connection, target, blobs, made[i]);
  });
  if (!pull || !pushed.ok()) return pushed;
  // One pull of 1 GiB takes a fifth of a second, in which the scheduler decides more than the registry.
  constexpr int kPulls = 5;
  double seconds = 0;
  for (int pulls = 0; pulls < kPulls; ++pulls) {
    ASSIGN_OR_RETURN(const double each,
                     TimeInParallel(count, [&](size_t i) { return PullLarge(target, made[i], size_bytes); }));
    seconds += each;
  }
  return seconds / kPulls;
}

// Calls work(connection, number) for 0 to count - 1. Each connection takes the next number.
template <typename Work>
absl::StatusOr<double> SpreadOver(const Target& target, size_t connections, size_t count, Work work) {
  std::atomic<size_t> next{0};
  return TimeInParallel(connections, [&](size_t) -> absl::Status {
    ASSIGN_OR_RETURN(HttpConnection connection, HttpConnection::Open(target.host, target.port));
    for (size_t i = next++; i < count; i = next++) RETURN_IF_ERROR(work(connection, i));
    return absl::OkStatus();
  });
}

absl::StatusOr<Timing> RunSmall(const Target& target, size_t images_count, size_t connections) {
  std::vector<SmallImage> images;
  for (size_t i = 0; i < images_count; ++i) images.push_back(MakeSmallImage(static_cast<int>(i)));
  std::vector<double> took(images_count);
  Timing timing;
  ASSIGN_OR_RETURN(timing.seconds,
                   SpreadOver(target, connections, images_count, [&](HttpConnection& connection, size_t i) {
                     const absl::Time start = absl::Now();
                     const absl::Status status = PushSmallImage(connection, target, images[i]);
                     took[i] = absl::ToDoubleMilliseconds(absl::Now() - start);
                     return status;
                   }));
  timing.SetTimes(std::move(took));
  return timing;
}

// What one connection of a churn did.
struct Churned {
  std::vector<double> took;
  // The layers of the images of the first half.
  std::vector<std::string> layers;
  size_t left = 0;
};

// Pushes and deletes image after image, each not before its turn, until the time is over.
absl::Status Churn(const Target& target, size_t rate, double seconds, std::atomic<size_t>& next,
                   std::chrono::steady_clock::time_point start, Churned* done) {
  ASSIGN_OR_RETURN(HttpConnection connection, HttpConnection::Open(target.host, target.port));
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  while (elapsed() < 2 * seconds) {
    const size_t number = next++;
    const SmallImage image = MakeSmallImage(static_cast<int>(number));
    const std::string digest = ComputeDigest(DigestAlgorithm::kSha256, image.manifest).ToString();
    const double turn = static_cast<double>(number) / static_cast<double>(rate);
    if (turn >= 2 * seconds) break;
    std::this_thread::sleep_until(
        start + std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(turn)));
    const double begun = elapsed();
    RETURN_IF_ERROR(PushSmallImage(connection, target, image));
    done->took.push_back((elapsed() - begun) * 1000);
    RETURN_IF_ERROR(Expect(
        connection.Call("DELETE", absl::StrCat("/v2/", target.repository, "/manifests/", digest), Authorization()),
        202));
    if (elapsed() < seconds) done->layers.push_back(image.layer_digest);
  }
  return absl::OkStatus();
}

absl::Status CountLeft(const Target& target, Churned* done) {
  ASSIGN_OR_RETURN(HttpConnection connection, HttpConnection::Open(target.host, target.port));
  for (const std::string& layer : done->layers) {
    const auto response =
        connection.Call("HEAD", absl::StrCat("/v2/", target.repository, "/blobs/", layer), Authorization());
    RETURN_IF_ERROR(response.status());
    if (response->status == 404) continue;
    RETURN_IF_ERROR(Expect(response, 200));
    ++done->left;
  }
  return absl::OkStatus();
}

absl::StatusOr<Timing> RunChurn(const Target& target, size_t rate, size_t seconds) {
  std::vector<Churned> done(kChurnConnections);
  std::atomic<size_t> next{0};
  const auto start = std::chrono::steady_clock::now();
  Timing timing;
  ASSIGN_OR_RETURN(timing.seconds, TimeInParallel(kChurnConnections, [&](size_t i) {
                     return Churn(target, rate, static_cast<double>(seconds), next, start, &done[i]);
                   }));
  RETURN_IF_ERROR(TimeInParallel(kChurnConnections, [&](size_t i) { return CountLeft(target, &done[i]); }).status());
  std::vector<double> took;
  for (const Churned& each : done) {
    took.insert(took.end(), each.took.begin(), each.took.end());
    timing.first_half += each.layers.size();
    timing.left += each.left;
  }
  timing.SetTimes(std::move(took));
  return timing;
}

absl::StatusOr<double> RunDead(const Target& target, size_t blobs, size_t connections) {
  return SpreadOver(target, connections, blobs, [&](HttpConnection& connection, size_t) {
    const std::string bytes = RandomBytes(4096);
    return PushSmallBlob(connection, target, bytes, ComputeDigest(DigestAlgorithm::kSha256, bytes).ToString());
  });
}

// The digests that an image's manifest names: its config's, then those of its layers.
absl::StatusOr<std::vector<std::string>> DigestsOf(absl::string_view manifest) {
  constexpr absl::string_view kPrefix = "\"sha256:";
  constexpr size_t kDigestBytes = 7 + 64;
  std::vector<std::string> digests;
  for (size_t at = manifest.find(kPrefix); at != absl::string_view::npos; at = manifest.find(kPrefix, at + 1)) {
    digests.emplace_back(manifest.substr(at + 1, kDigestBytes));
  }
  if (digests.size() < 2) return absl::DataLossError("the manifest names no config and no layer");
  return digests;
}

// One pull, with its layers before its config. Returns when the first byte of its first layer arrived.
absl::StatusOr<absl::Time> PullImage(HttpConnection& connection, const Target& target) {
  const auto manifest =
      connection.Call("GET", absl::StrCat("/v2/", target.repository, "/manifests/v1"),
                      absl::StrCat(Authorization(), "Accept: application/vnd.oci.image.manifest.v1+json\r\n"));
  RETURN_IF_ERROR(Expect(manifest, 200));
  ASSIGN_OR_RETURN(std::vector<std::string> digests, DigestsOf(manifest->body));
  std::rotate(digests.begin(), digests.begin() + 1, digests.end());
  absl::Time first = absl::InfiniteFuture();
  for (const std::string& digest : digests) {
    const auto blob = connection.Call("GET", absl::StrCat("/v2/", target.repository, "/blobs/", digest),
                                      Authorization(), "", /*keep_body=*/false);
    RETURN_IF_ERROR(Expect(blob, 200));
    first = std::min(first, blob->body_began);
  }
  return first;
}

absl::StatusOr<Timing> RunImage(const Target& target, size_t clients, size_t pulls) {
  std::vector<double> took(clients * pulls);
  std::vector<absl::Time> first(clients, absl::InfiniteFuture());
  Timing timing;
  const absl::Time start = absl::Now();
  ASSIGN_OR_RETURN(timing.seconds, TimeInParallel(clients, [&](size_t client) -> absl::Status {
                     ASSIGN_OR_RETURN(HttpConnection connection, HttpConnection::Open(target.host, target.port));
                     for (size_t pull = 0; pull < pulls; ++pull) {
                       const absl::Time begun = absl::Now();
                       ASSIGN_OR_RETURN(const absl::Time byte, PullImage(connection, target));
                       first[client] = std::min(first[client], byte);
                       took[client * pulls + pull] = absl::ToDoubleMilliseconds(absl::Now() - begun);
                     }
                     return absl::OkStatus();
                   }));
  timing.SetTimes(std::move(took));
  timing.first_byte_ms = absl::ToDoubleMilliseconds(*std::min_element(first.begin(), first.end()) - start);
  return timing;
}

// The mean of the time for which clients of steady_* think.
absl::StatusOr<double> ThinkSeconds() {
  const char* const text = std::getenv("LOAD_THINK_MS");
  double milliseconds = 0;
  if (text != nullptr && (!absl::SimpleAtod(text, &milliseconds) || milliseconds < 0)) {
    return absl::InvalidArgumentError(absl::StrCat("LOAD_THINK_MS must be a number of milliseconds, not ", text));
  }
  return milliseconds / 1000;
}

// Calls work(connection) again and again at each of the clients' connections.
template <typename Work>
absl::StatusOr<Timing> RunSteady(const Target& target, size_t clients, size_t seconds, Work work) {
  ASSIGN_OR_RETURN(const double think_seconds, ThinkSeconds());
  std::vector<std::vector<double>> took(clients);
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  const double end = static_cast<double>(seconds);
  const double begin = end / 4;
  RETURN_IF_ERROR(TimeInParallel(clients, [&](size_t client) -> absl::Status {
                    ASSIGN_OR_RETURN(HttpConnection connection, HttpConnection::Open(target.host, target.port));
                    absl::BitGen random;
                    for (;;) {
                      if (think_seconds > 0) {
                        absl::SleepFor(absl::Seconds(absl::Exponential<double>(random, 1 / think_seconds)));
                      }
                      const double begun = elapsed();
                      if (begun >= end) return absl::OkStatus();
                      RETURN_IF_ERROR(work(connection));
                      const double ended = elapsed();
                      if (ended >= begin && ended < end) took[client].push_back((ended - begun) * 1000);
                    }
                  }).status());
  std::vector<double> all;
  for (const std::vector<double>& each : took) all.insert(all.end(), each.begin(), each.end());
  Timing timing;
  timing.seconds = end - begin;
  timing.SetTimes(std::move(all));
  return timing;
}

absl::StatusOr<Timing> RunSteadySmall(const Target& target, size_t clients, size_t seconds) {
  return RunSteady(target, clients, seconds, [&](HttpConnection& connection) {
    // Other clients of the repository are other processes, and must not push the same tags.
    thread_local absl::BitGen random;
    return PushSmallImage(connection, target, MakeSmallImage(absl::Uniform<int>(random, 0, 1 << 30)));
  });
}

absl::StatusOr<Timing> RunSteadyLarge(const Target& target, size_t clients, size_t seconds) {
  const LargeBlobs blobs(64 * kMiB);
  return RunSteady(target, clients, seconds, [&](HttpConnection& connection) -> absl::Status {
    ASSIGN_OR_RETURN(const LargeBlob blob, blobs.Make());
    return PushLarge(connection, target, blobs, blob);
  });
}

absl::StatusOr<Timing> RunSteadyPulls(const Target& target, size_t clients, size_t seconds) {
  return RunSteady(target, clients, seconds,
                   [&](HttpConnection& connection) { return PullImage(connection, target).status(); });
}

absl::StatusOr<Timing> Run(const std::string& mode, const Target& target, size_t first, size_t second) {
  if (mode == "small") return RunSmall(target, first, second);
  if (mode == "churn") return RunChurn(target, first, second);
  if (mode == "image") return RunImage(target, first, second);
  if (mode == "steady_small") return RunSteadySmall(target, first, second);
  if (mode == "steady_large") return RunSteadyLarge(target, first, second);
  if (mode == "steady_pulls") return RunSteadyPulls(target, first, second);
  Timing timing;
  if (mode == "dead") {
    ASSIGN_OR_RETURN(timing.seconds, RunDead(target, first, second));
  } else {
    ASSIGN_OR_RETURN(timing.seconds, RunLarge(target, first * kMiB, second, mode == "pull"));
  }
  return timing;
}

int Main(int argc, char** argv) {
  size_t first = 0;
  size_t second = 0;
  Target target;
  if (argc != 7 || !absl::SimpleAtoi(argv[3], &target.port) || !absl::SimpleAtoi(argv[5], &first) ||
      !absl::SimpleAtoi(argv[6], &second) || first == 0 || second == 0) {
    std::cerr << "usage: load push|pull|small|dead|churn|image|steady_small|steady_large|steady_pulls HOST PORT "
                 "REPOSITORY N N\n";
    return 2;
  }
  const std::string mode = argv[1];
  target.host = argv[2];
  target.repository = argv[4];
  const absl::StatusOr<Timing> timing = Run(mode, target, first, second);
  if (!timing.ok()) {
    std::cerr << timing.status() << "\n";
    return 1;
  }
  std::cout << absl::StrFormat(
      R"({"seconds": %.6f, "median_ms": %.3f, "p99_ms": %.3f, "images": %d, "first_half": %d, "left": %d, "first_byte_ms": %.3f})"
      "\n",
      timing->seconds, timing->median_ms, timing->p99_ms, timing->images, timing->first_half, timing->left,
      timing->first_byte_ms);
  return 0;
}

}  // namespace
}  // namespace entrepot::tests

int main(int argc, char** argv) { return entrepot::tests::Main(argc, argv); }
