// Byte-pair merges learned from counted pre-tokens: which two neighbours to join next, until the vocabulary is full.
//
// The result is that of the trainer of the `tokenizers` library, merge by merge, which the tests compare. That fixes
// three things on which textbooks differ. Of equally frequent pairs the one with the lower ids comes first. A pair's
// count keeps the occurrences that were already joined, so that a pair which comes up a second time (because its left
// or right token can also be made another way) is joined earlier than its fresh occurrences deserve. And each entry
// of the queue joins only the words in which it found its pair.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <new>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace {

using Id = int32_t;
using Pair = uint64_t;

constexpr int kBytes = 256;

Pair pair_of(Id left, Id right) { return static_cast<Pair>(left) << 32 | static_cast<uint32_t>(right); }
Id left_of(Pair pair) { return static_cast<Id>(pair >> 32); }
Id right_of(Pair pair) { return static_cast<Id>(pair & 0xffffffffu); }

struct PairHash {
    size_t operator()(Pair pair) const {
        // The finaliser of MurmurHash3: neighbouring ids would otherwise share buckets.
        pair ^= pair >> 33;
        pair *= 0xff51afd7ed558ccdull;
        pair ^= pair >> 33;
        return static_cast<size_t>(pair);
    }
};

// What waits to be joined: a pair, its count when it was queued, and the words it was seen in.
struct Entry {
    int64_t count;
    Pair pair;
    uint64_t age;
    std::unique_ptr<std::vector<uint32_t>> words;
};

struct LaterEntry {
    bool operator()(const Entry& a, const Entry& b) const {
        if (a.count != b.count) return a.count < b.count;
        if (a.pair != b.pair) return a.pair > b.pair;
        return a.age > b.age;
    }
};

class Learner {
  public:
    Learner(const uint8_t* symbols, const int64_t* ends, const int64_t* counts, int64_t words, int64_t longest)
        : counts_(counts), longest_(longest) {
        int64_t total = words ? ends[words - 1] : 0;
        symbols_.assign(symbols, symbols + total);
        starts_.resize(words);
        lengths_.resize(words);
        for (int64_t word = 0; word < words; ++word) {
            starts_[word] = word ? ends[word - 1] : 0;
            lengths_[word] = static_cast<uint32_t>(ends[word] - starts_[word]);
        }
        for (int byte = 0; byte < kBytes; ++byte) add_token(std::string(1, static_cast<char>(byte)));
        find_pairs();
    }

    void learn(int64_t tokens, int64_t fewest) {
        while (static_cast<int64_t>(contents_.size()) < tokens && !queue_.empty()) {
            Entry top = take_top();
            int64_t now = pair_counts_[top.pair];
            if (top.count != now) {
                top.count = now;
                queue_.push(std::move(top));
                continue;
            }
            if (top.count < fewest) break;
            join(top);
        }
    }

    const std::vector<Pair>& merges() const { return merges_; }

  private:
    Entry take_top() {
        // priority_queue only shows its top as constant; it is popped right away.
        Entry top = std::move(const_cast<Entry&>(queue_.top()));
        queue_.pop();
        return top;
    }

    Id add_token(std::string content) {
        Id id = static_cast<Id>(contents_.size());
        auto [found, is_new] = ids_.emplace(std::move(content), id);
        if (is_new) contents_.push_back(&found->first);
        return found->second;
    }

    int64_t length(Id token) const { return static_cast<int64_t>(contents_[token]->size()); }

    void find_pairs() {
        std::vector<std::unique_ptr<std::vector<uint32_t>>> seen(kBytes * kBytes);
        std::vector<int64_t> totals(kBytes * kBytes);
        for (uint32_t word = 0; word < starts_.size(); ++word) {
            const Id* symbol = &symbols_[starts_[word]];
            for (uint32_t i = 0; i + 1 < lengths_[word]; ++i) {
                int index = symbol[i] * kBytes + symbol[i + 1];
                totals[index] += counts_[word];
                auto& words = seen[index];
                if (!words) words = std::make_unique<std::vector<uint32_t>>();
                if (words->empty() || words->back() != word) words->push_back(word);
            }
        }
        for (int index = 0; index < kBytes * kBytes; ++index) {
            if (!seen[index]) continue;
            Pair pair = pair_of(index / kBytes, index % kBytes);
            pair_counts_[pair] = totals[index];
            queue_.push({totals[index], pair, age_++, std::move(seen[index])});
        }
    }

    void join(const Entry& entry) {
        Id left = left_of(entry.pair), right = right_of(entry.pair);
        Id made = add_token(*contents_[left] + *contents_[right]);
        merges_.push_back(entry.pair);
        for (uint32_t word : *entry.words) join_in(word, left, right, made);
        for (Pair pair : new_pairs_) {
            int64_t count = pair_counts_[pair];
            auto words = std::move(found_[pair]);
            if (count > 0) queue_.push({count, pair, age_++, std::move(words)});
        }
        new_pairs_.clear();
        found_.clear();
    }

    // Left to right, and in place: what is written never overtakes what is read.
    void join_in(uint32_t word, Id left, Id right, Id made) {
        Id* symbol = &symbols_[starts_[word]];
        uint32_t length_before = lengths_[word], written = 0;
        for (uint32_t i = 0; i < length_before; ++i) {
            if (symbol[i] != left || i + 1 >= length_before || symbol[i + 1] != right) {
                symbol[written++] = symbol[i];
                continue;
            }
            if (written > 0) {
                change(symbol[written - 1], left, -1, word);
                if (fits(symbol[written - 1], made)) change(symbol[written - 1], made, 1, word);
            }
            symbol[written++] = made;
            ++i;
            if (i + 1 < length_before) {
                change(right, symbol[i + 1], -1, word);
                if (fits(made, symbol[i + 1])) change(made, symbol[i + 1], 1, word);
            }
        }
        lengths_[word] = written;
    }

    bool fits(Id left, Id right) const { return length(left) + length(right) < longest_; }

    void change(Id left, Id right, int sign, uint32_t word) {
        Pair pair = pair_of(left, right);
        pair_counts_[pair] += sign * counts_[word];
        if (sign < 0) return;
        auto& words = found_[pair];
        if (!words) {
            words = std::make_unique<std::vector<uint32_t>>();
            new_pairs_.push_back(pair);
        }
        if (words->empty() || words->back() != word) words->push_back(word);
    }

    const int64_t* counts_;
    int64_t longest_;
    std::vector<Id> symbols_;
    std::vector<int64_t> starts_;
    std::vector<uint32_t> lengths_;
    // The keys of a node-based map stay where they are, so that a token's content is kept once.
    std::unordered_map<std::string, Id> ids_;
    std::vector<const std::string*> contents_;
    std::unordered_map<Pair, int64_t, PairHash> pair_counts_;
    std::priority_queue<Entry, std::vector<Entry>, LaterEntry> queue_;
    uint64_t age_ = 0;
    // Of the merge at work.
    std::unordered_map<Pair, std::unique_ptr<std::vector<uint32_t>>, PairHash> found_;
    std::vector<Pair> new_pairs_;
    std::vector<Pair> merges_;
};

}  // namespace

// The merges as pairs of ids: 0 to 255 are the symbols given, then tokens in the order they are made. Of word w the
// symbols end at ends[w]. `tokens` counts symbols and made tokens. Returns the number of merges, of which at most
// `room` are written, or -1 when memory ran out.
extern "C" int64_t learn_merges(const uint8_t* symbols, const int64_t* ends, const int64_t* counts, int64_t words,
                                int64_t tokens, int64_t fewest, int64_t longest, int32_t* merges, int64_t room) {
    try {
        Learner learner(symbols, ends, counts, words, longest);
        learner.learn(tokens, fewest);
        const std::vector<Pair>& learned = learner.merges();
        for (int64_t i = 0; i < std::min<int64_t>(room, learned.size()); ++i) {
            merges[2 * i] = left_of(learned[i]);
            merges[2 * i + 1] = right_of(learned[i]);
        }
        return static_cast<int64_t>(learned.size());
    } catch (const std::bad_alloc&) {
        return -1;
    }
}
